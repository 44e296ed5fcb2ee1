import { type Edition, type ManualPage, renderEntry, renderPage, renderSeeAlso } from "./page.ts";
import { bold, escapeRoff, italic, renderParagraphs, renderProse, wrap } from "./roff.ts";

/** A setting as people read about it. */
export interface DocumentedSetting {
  /** Path in the file, joined by dots: "reimage.bootTimeoutMs". */
  readonly key: string;
  readonly about: string;
  /** What a valid value looks like, completing "give ...". */
  readonly wants: string;
  /** What counts where nothing sets it. */
  readonly fallback: string;
  /** Absent where only the file can set it. */
  readonly flag?: string;
  readonly variable?: string;
}

const description = `The configuration of a Pallet controller: YAML, in which every key is optional and an unknown one is an error. Keys with a dot are nested: reimage.bootTimeoutMs is bootTimeoutMs below reimage. Keys that end in Ms are in milliseconds, those that end in Bytes in bytes.

Options of "controller serve" override PALLET_ environment variables, which override this file. It is read when the controller starts; restart the controller to have a change take effect. "controller serve --check" lists everything that is wrong with it, and everything else that would keep a node from booting. "controller serve --help" prints a whole file with every default.`;

const example = `listen: 10.77.0.1
limits:
  total: 500 Mbit/s
reimage:
  maxConcurrent: 8
  bootTimeoutMs: 600000`;

/** The page about the config file. @param path where it is by default */
export function renderSettingsPage(path: string, settings: readonly DocumentedSetting[], edition: Edition): ManualPage {
  const name = path.split("/").at(-1) ?? path;
  return renderPage({ name, section: 5, about: "configuration of the Pallet controller", edition }, [
    ["SYNOPSIS", [italic(path)]],
    ["DESCRIPTION", renderParagraphs(description)],
    ["SETTINGS", settings.flatMap(renderSetting)],
    ["EXAMPLES", [".EX", ...example.split("\n").map((line) => keepIndent(line)), ".EE"]],
    ["FILES", renderEntry(italic(path), renderProse("Another file is named by --config or PALLET_CONFIG."))],
    [
      "SEE ALSO",
      renderSeeAlso([
        { name: "controller", section: 1 },
        { name: "controller-serve", section: 1 },
      ]),
    ],
  ]);
}

function renderSetting({ key, about, wants, fallback, flag, variable }: DocumentedSetting): readonly string[] {
  const elsewhere =
    flag === undefined || variable === undefined
      ? []
      : [".br", ...wrap(`Also ${bold(flag)}, or ${bold(variable)} in the environment.`)];
  return renderEntry(bold(key), [
    ...renderProse(about),
    ".br",
    ...renderProse(`Value: ${wants}.`),
    ".br",
    ...renderProse(`Default: ${fallback}.`),
    ...elsewhere,
  ]);
}

/** A line between .EX and .EE, with the spaces that it begins with. */
function keepIndent(line: string): string {
  const indent = /^ */.exec(line)?.[0] ?? "";
  return indent === "" ? escapeRoff(line) : `\\&${indent}${escapeRoff(line.slice(indent.length))}`;
}
