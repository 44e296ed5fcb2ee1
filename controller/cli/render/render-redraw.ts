import { stripVTControlCharacters } from "node:util";
import { textWidth } from "./text-width.ts";

/** Rows that a line takes on a terminal of so many columns, its colours left out of account. */
function rowsOf(line: string, columns: number): number {
  return Math.max(1, Math.ceil(textWidth(stripVTControlCharacters(line)) / columns));
}

/**
 * What to send to a terminal so that lines drawn before are replaced by others (ECMA-48: CUU, EL, ED). The cursor is
 * expected, and left, at the beginning of the row below the last line, so that a program that is killed leaves the
 * shell's prompt in its place. Nothing is erased before it is overwritten, so it does not flicker.
 *
 * @param columns of the terminal now: lines drawn when it was wider have been wrapped by it since
 */
export function renderRedraw(previous: readonly string[], next: readonly string[], columns: number): string {
  const up = previous.reduce((rows, line) => rows + rowsOf(line, columns), 0);
  const home = up === 0 ? "" : `\r\u001b[${up}A`;
  return `${home}${next.map((line) => `${line}\u001b[K\n`).join("")}\u001b[J`;
}
