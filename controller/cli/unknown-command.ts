import type { Command } from "commander";
import { closestWords } from "../../proto/names/closest-word.ts";

/** What to say of a word that is none of the commands that may stand there. */
export function describeUnknown(word: string, names: readonly string[], help: string): string {
  const near = closestWords(word, names);
  const meant = near.length === 0 ? "" : `; did you mean ${near.join(" or ")}?`;
  return `unknown command '${word}'${meant} (see ${help})`;
}

/** The names that may stand behind a command, as help shows them. */
export function namesBelow(command: Command): readonly string[] {
  const visible = command.createHelp().visibleCommands(command);
  return visible.map((below) => below.name());
}

/** The command line that shows what `help WORD…` asks for, or why there is no such command. */
export type HelpFor = { readonly argv: readonly string[] } | { readonly problem: string };

/**
 * Reads `help node show` as `node show --help`: commander's own help knows one word only, and forgives a misspelt one.
 * Undefined for every other command line, and for `help` alone.
 */
export function readHelp(argv: readonly string[], program: Command): HelpFor | undefined {
  const [first, ...words] = argv;
  if (first !== "help" || words.length === 0 || words.some((word) => word.startsWith("-"))) return undefined;
  let command = program;
  for (const word of words) {
    const below = command.commands.find((each) => each.name() === word || each.aliases().includes(word));
    if (below === undefined) {
      // What follows a command that has none below it is no command: "help reimage rack-1".
      if (command !== program && command.commands.length === 0) break;
      return { problem: describeUnknown(word, namesBelow(command), "controller help") };
    }
    command = below;
  }
  return { argv: [...words, "--help"] };
}
