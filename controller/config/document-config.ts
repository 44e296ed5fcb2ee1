import { stringify } from "yaml";
import { z } from "zod";
import { defaultConfigFile } from "./read-config.ts";
import { flagOf, type Setting, settingList } from "./settings.ts";

const placeholders = { text: "text", path: "path", integer: "number", words: "words", groups: "groups" } as const;

/** An option of `controller serve`, in commander's syntax: "--log-level <text>". */
export interface ServeOption {
  readonly flags: string;
  readonly description: string;
  /** The only values that are valid; absent or empty where others are, too. */
  readonly choices?: readonly string[];
}

/** The options of `controller serve`, for commander. */
export const serveOptions: readonly ServeOption[] = [
  { flags: "--config <file>", description: `config file (default: ${defaultConfigFile}, if it exists)` },
  ...settingList.flatMap((setting) => {
    const flag = flagOf(setting);
    if (flag === undefined) return [];
    // A boolean flag takes no value.
    const value = setting.kind === "boolean" ? "[boolean]" : `<${placeholders[setting.kind]}>`;
    const choices = setting.schema instanceof z.ZodEnum ? setting.schema.options.map(String) : [];
    return [{ flags: `${flag} ${value}`, description: describe(setting, choices), choices }];
  }),
];

/** A commented config file that sets everything to its default. */
export const exampleConfig: string = render();

/** Help of an option. Commander puts the choices behind it, in parentheses. */
function describe(setting: Setting<unknown>, choices: readonly string[]): string {
  return `${setting.about} Default: ${describeFallback(setting)}${choices.length === 0 ? "." : ""}`;
}

/** What counts where nothing sets it, with its unit: "600000 ms". */
export function describeFallback({ key, fallback, fallbackWords }: Setting<unknown>): string {
  if (fallbackWords !== undefined) return fallbackWords;
  if (Array.isArray(fallback)) return fallback.length === 0 ? "none" : fallback.join(" ");
  return `${fallback}${unitOf(key)}`;
}

/** The unit that the name of a setting ends with. */
function unitOf(key: string): string {
  if (key.endsWith("Ms")) return " ms";
  if (key.endsWith("Seconds")) return " s";
  return key.endsWith("Bytes") ? " bytes" : "";
}

function render(): string {
  const lines = [
    "# Configuration of a Pallet controller. Every line is optional.",
    "# Flags of `controller serve` override PALLET_ environment variables, which override this file.",
  ];
  let open: string[] = [];
  for (const setting of settingList) {
    const groups = setting.key.split(".").slice(0, -1);
    const leaf = setting.key.split(".").at(-1) ?? "";
    groups.forEach((group, depth) => {
      if (open[depth] === group) return;
      lines.push(`${"  ".repeat(depth)}${group}:`);
      open = groups.slice(0, depth + 1);
    });
    open = groups;
    const indent = "  ".repeat(groups.length);
    lines.push(`${indent}# ${setting.about}`);
    lines.push(
      setting.fallbackWords === undefined
        ? `${indent}${leaf}: ${oneLine(setting.fallback)}`
        : `${indent}# ${leaf}: (${setting.fallbackWords})`,
    );
  }
  return `${lines.join("\n")}\n`;
}

/** A value on the line of its key: JSON is YAML. */
function oneLine(value: unknown): string {
  return Array.isArray(value) ? JSON.stringify(value) : stringify(value).trimEnd();
}
