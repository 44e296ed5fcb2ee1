const zeroWidth = /^(?:\p{Mark}|\p{Cf})$/u;
// East Asian Wide and Fullwidth (Unicode Standard Annex 11), by large blocks, and emoji.
const wide =
  /^[\u1100-\u115f\u2e80-\u303e\u3041-\u33ff\u3400-\u4dbf\u4e00-\u9fff\ua000-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe4f\uff00-\uff60\uffe0-\uffe6\u{20000}-\u{3fffd}\p{Emoji_Presentation}]$/u;

/** How many terminal columns a text without control characters takes. */
export function textWidth(text: string): number {
  let width = 0;
  for (const character of text) width += zeroWidth.test(character) ? 0 : wide.test(character) ? 2 : 1;
  return width;
}

/** The text cut to the given width; a cut text ends in "…" ("." if the terminal shows only ASCII). */
export function clipText(text: string, columns: number, ellipsis = "…"): string {
  if (textWidth(text) <= columns) return text;
  if (columns <= 0) return "";
  let clipped = "";
  let width = 0;
  for (const character of text) {
    const next = textWidth(character);
    if (width + next > columns - 1) break;
    clipped += character;
    width += next;
  }
  return clipped + ellipsis;
}

/** The text padded with spaces after (or before) it to the given width. */
export function padText(text: string, columns: number, align: "left" | "right" = "left"): string {
  const spaces = " ".repeat(Math.max(0, columns - textWidth(text)));
  return align === "left" ? text + spaces : spaces + text;
}
