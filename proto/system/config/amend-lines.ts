import { Failure } from "../../failure.ts";

/** The lines of a text file, without their ends. A last line without an end is one, too; an empty file has none. */
export function linesOf(text: string): readonly string[] {
  if (text === "") return [];
  return (text.endsWith("\n") ? text.slice(0, -1) : text).split("\n");
}

/** The text of lines, each with an end. */
export function textOf(lines: readonly string[]): string {
  return lines.map((line) => `${line}\n`).join("");
}

/**
 * A text that can be amended without harm to what is in it: one without a zero, which no text file of a system has.
 * Throws a Failure "invalid" otherwise.
 */
export function requireText(text: string, path: string): string {
  if (!text.includes("\0")) return text;
  throw new Failure("invalid", `${path} of the image holds a NUL byte: it is no text that could be amended`);
}

const blockBegin = "# BEGIN Pallet (made at the reimage; changes in here are lost at the next)";
const blockEnd = "# END Pallet";

/** Where a block of lines of ours stands. */
export type BlockPlace = "first" | "last";

/**
 * The text with our lines in a marked block, in place of the one that it has; without any block if there are no lines.
 * Everything else stays as it is.
 */
export function withBlock(text: string, lines: readonly string[], place: BlockPlace): string {
  const others = withoutBlock(linesOf(text));
  if (lines.length === 0) return others.length === linesOf(text).length ? text : textOf(others);
  const block = [blockBegin, ...lines, blockEnd];
  return textOf(place === "first" ? [...block, ...others] : [...others, ...block]);
}

/** The lines without our block. A beginning without an end, or an end without a beginning, is not ours: it stays. */
function withoutBlock(lines: readonly string[]): readonly string[] {
  const kept: string[] = [];
  const begins: number[] = [];
  for (const line of lines) {
    const begin = line === blockEnd ? begins.pop() : undefined;
    if (begin !== undefined) {
      kept.length = begin;
      continue;
    }
    if (line === blockBegin) begins.push(kept.length);
    kept.push(line);
  }
  return kept;
}

/**
 * The text of a file of NAME=value lines, as /etc/default has them, with these values: the last line of each name gets
 * it, and names that are not there come behind. The values are written in quotes, and must hold no quote, backslash, "$" or "`".
 */
export function withAssignments(text: string, values: Readonly<Record<string, string>>): string {
  const lines = [...linesOf(text)];
  for (const [name, value] of Object.entries(values)) {
    const line = `${name}="${value}"`;
    const at = lines.findLastIndex((each) => new RegExp(`^\\s*(export\\s+)?${name}=`).test(each));
    if (at < 0) lines.push(line);
    else lines[at] = line;
  }
  return textOf(lines);
}
