import { stripVTControlCharacters } from "node:util";
import { textWidth } from "./text-width.ts";

/** Rows that a line takes on a terminal of the given width; colours take no space. */
function rowsOf(line: string, columns: number): number {
  return Math.max(1, Math.ceil(textWidth(stripVTControlCharacters(line)) / columns));
}

/**
 * The control sequences that replace previously drawn lines (ECMA-48: CUU, EL, ED). The cursor is expected, and left,
 * at the start of the row below the last line, so that the shell's prompt lands there if the program is killed.
 * Nothing is erased before it is overwritten, so there is no flicker.
 *
 * @param columns of the terminal now: it has re-wrapped lines that were drawn when it was wider
 */
export function renderRedraw(previous: readonly string[], next: readonly string[], columns: number): string {
  const up = previous.reduce((rows, line) => rows + rowsOf(line, columns), 0);
  const home = up === 0 ? "" : `\r\u001b[${up}A`;
  return `${home}${next.map((line) => `${line}\u001b[K\n`).join("")}\u001b[J`;
}
