import { type Command, Option } from "commander";
import type { CommandContext, CommonOptions, ListFormat } from "../connection/command-context.ts";
import { printable } from "../render/printable.ts";
import { printableYaml } from "../render/printable-yaml.ts";
import type { Look } from "../render/style.ts";
import { jsonHelp } from "./option-texts.ts";

const formats = ["wide", "json", "yaml", "name"] as const satisfies readonly ListFormat[];

/**
 * Adds --json and -o to the command of a list of things that other commands take by name: nodes, images, rollouts. What
 * else is listed has --json alone.
 */
export function addListFormat(command: Command): Command {
  return command
    .option("--json", jsonHelp)
    .addOption(
      new Option(
        "-o, --format <format>",
        "how to print them: every column, JSON as --json does, the same as YAML, or one name a line",
      )
        .choices(formats)
        .conflicts("json"),
    );
}

/** A list, and how it is shown. */
export interface List<View> {
  readonly views: readonly View[];
  /** By what other commands take one. */
  readonly nameOf: (view: View) => string;
  /** What to say when it is empty. */
  readonly none: string;
  /** @param isWide whether every column is asked for, in a look of any width */
  readonly table: (views: readonly View[], look: Look, isWide: boolean) => readonly string[];
}

/** Prints a list as `addListFormat` lets ask for it. Returns whether that was a table. */
export function printList<View>(context: CommandContext, { format }: CommonOptions, list: List<View>): boolean {
  const { isJson, print, printJson, note, look } = context;
  const { views, nameOf, none, table } = list;
  if (isJson) printJson(views);
  else if (format === "yaml") print(printableYaml(views));
  else if (views.length === 0) note([none]);
  else if (format === "name") print(views.map((view) => printable(nameOf(view))));
  else {
    const isWide = format === "wide";
    print(table(views, isWide ? { color: look.color, unicode: look.unicode } : look, isWide));
    return true;
  }
  return false;
}
