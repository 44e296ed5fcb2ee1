import process from "node:process";

/** Prints a line on the board's serial console: the standard output of the machine. */
export function print(line: string): void {
  process.stdout.write(`${line}\n`);
}
