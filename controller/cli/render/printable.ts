// Everything that a terminal could act on: C0 and C1 control characters, DEL, line and paragraph separators, and the
// characters that reorder text (Unicode Standard Annex 9), which let one name look like another. Lone surrogates too.
const dangerous = /[\p{Cc}\p{Surrogate}\u2028\u2029\u200e\u200f\u061c\u202a-\u202e\u2066-\u2069]/gu;

function escaped(character: string): string {
  const code = character.charCodeAt(0);
  if (character === "\n") return "\\n";
  if (character === "\r") return "\\r";
  if (character === "\t") return "\\t";
  return code < 0x100 ? `\\x${code.toString(16).padStart(2, "0")}` : `\\u${code.toString(16).padStart(4, "0")}`;
}

/**
 * Makes text from outside (host names, disk models, labels, messages) one line that is safe to show on a terminal:
 * anything that could move the cursor, change colours or reorder text is shown as a spelled-out escape.
 */
export function printable(text: string): string {
  return text.replace(dangerous, escaped);
}

/** The same for text that may have several lines, for example a failed tool's output. */
export function printableLines(text: string): string[] {
  return text.replace(/\s+$/u, "").split(/\r?\n/u).map(printable);
}

/**
 * JSON that is safe to show on a terminal. JSON.stringify escapes only C0 control characters; we escape the others in
 * a form that JSON parsers read back as the same text.
 */
export function printableJson(value: unknown, indent?: number): string {
  return escapedForJson(JSON.stringify(value, undefined, indent));
}

/** What is dangerous in lines of JSON, within whose quotes alone it can stand, as JSON spells it out. */
export function escapedForJson(lines: string): string {
  return lines.replace(dangerous, (character) =>
    character === "\n" ? character : `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

/** Whether a text is shown as it is. */
export function isPrintable(text: string): boolean {
  return text.search(dangerous) < 0;
}
