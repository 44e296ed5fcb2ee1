import { closestWord } from "../../proto/names/closest-word.ts";
import { formerSettings } from "./former-settings.ts";
import type { GivenValue, GivenValues } from "./given-value.ts";
import { flagOf, type Setting, settingList, variableOf } from "./settings.ts";

/** Variables of this family that mean something elsewhere: the file's own path, what the other commands use. */
export const otherVariables: readonly string[] = ["PALLET_CONFIG", "PALLET_SERVER", "PALLET_BUNDLE", "PALLET_CACHE"];

/**
 * Takes settings out of the environment. Empty variables count as not set. A variable that almost has the name of one
 * is a problem; others may belong to another program.
 */
export function parseEnvironment(env: Readonly<Record<string, string | undefined>>, folder: string): GivenValues {
  const values = new Map<string, GivenValue>();
  const problems: string[] = [];
  const known = new Map(settingList.flatMap((setting) => entryOf(variableOf(setting), setting)));
  for (const [name, text] of Object.entries(env)) {
    if (text === undefined || text === "" || !name.startsWith("PALLET_") || otherVariables.includes(name)) continue;
    const setting = known.get(name);
    if (setting !== undefined) {
      values.set(setting.key, { value: readText(setting, text), source: name, folder });
      continue;
    }
    const former = [...formerSettings].find(([key]) => variableOf({ key, kind: "boolean" }) === name);
    if (former !== undefined) {
      problems.push(`${name}: ${former[1]}`);
      continue;
    }
    const meant = closestWord(name, [...known.keys()]);
    if (meant !== undefined) problems.push(`${name}: there is no such variable; did you mean ${meant}?`);
  }
  return { values, problems };
}

/**
 * Takes settings out of command-line options.
 *
 * @param options by their names in camel case ("--grpc-port 1" gives `grpcPort: "1"`), as commander names them
 */
export function parseFlags(options: Readonly<Record<string, string | boolean>>, folder: string): GivenValues {
  const values = new Map<string, GivenValue>();
  const known = new Map(settingList.flatMap((setting) => entryOf(flagOf(setting), setting)));
  for (const [name, given] of Object.entries(options)) {
    const flag = `--${name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
    const setting = known.get(flag);
    if (setting === undefined) continue;
    const value = typeof given === "string" ? readText(setting, given) : given;
    values.set(setting.key, { value, source: flag, folder });
  }
  return { values, problems: [] };
}

function entryOf(name: string | undefined, setting: Setting<unknown>): [string, Setting<unknown>][] {
  return name === undefined ? [] : [[name, setting]];
}

/** The parsed value; the text itself if it does not parse as the setting's kind, so that validation refuses it. */
function readText(setting: Setting<unknown>, text: string): unknown {
  if (setting.kind === "integer" && /^-?\d{1,15}$/.test(text)) return Number(text);
  if (setting.kind === "boolean" && (text === "true" || text === "false")) return text === "true";
  return text;
}
