import { InvalidArgumentError } from "commander";

/** Help of `--json` for a single value. */
export const jsonHelp = "print JSON: times in ISO 8601, sizes in bytes, null for absent values";

/** Help of `--json` for a stream. */
export const jsonLinesHelp = "print one JSON object per line";

/** Help of `--suite` and `--mirror`. */
export const suiteHelp = "Debian suite";
export const mirrorHelp = "Debian mirror";

/** Help of the argument that names a node. */
export const nodeHelp = "name, MAC address or serial number";

/** Text below the options of a command's help: examples, each with what it does. */
export function examples(...lines: readonly (readonly [command: string, does?: string])[]): string {
  const width = Math.max(...lines.map(([command]) => command.length));
  const rendered = lines.map(
    ([command, does]) => `  $ ${does === undefined ? command : `${command.padEnd(width)}  ${does}`}`,
  );
  return `\n${lines.length === 1 ? "Example" : "Examples"}:\n${rendered.join("\n")}`;
}

/** Parses a whole number within inclusive bounds; commander prints the error. */
export function wholeNumber(least: number, most: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!/^\d+$/.test(text) || value < least || value > most)
      throw new InvalidArgumentError(`Give a whole number from ${least} to ${most}.`);
    return value;
  };
}
