import { printable } from "./printable.ts";
import { createPaint, type Look, type Style } from "./style.ts";
import { clipText, padText, textWidth } from "./text-width.ts";

/** One field of a table: its text as it came, made safe when it is shown. */
export interface Cell {
  readonly text: string;
  readonly style?: Style | undefined;
}

/** A column. */
export interface Column {
  readonly title: string;
  readonly align?: "left" | "right";
  /**
   * How narrow the column may become when the table is wider than the terminal. Columns without it are never cut:
   * names, ids and paths that people copy.
   */
  readonly shrinkTo?: number;
}

const gap = "  ";

/** The widths that fit: the widest of the columns that may shrink gives way first. */
function fitWidths(columns: readonly Column[], natural: readonly number[], limit: number): number[] {
  const widths = [...natural];
  let excess = widths.reduce((sum, width) => sum + width, 0) + gap.length * (columns.length - 1) - limit;
  while (excess > 0) {
    let widest = -1;
    for (const [index, { shrinkTo }] of columns.entries()) {
      if (shrinkTo === undefined || (widths[index] ?? 0) <= shrinkTo) continue;
      if (widest === -1 || (widths[index] ?? 0) > (widths[widest] ?? 0)) widest = index;
    }
    if (widest === -1) break;
    widths[widest] = (widths[widest] ?? 0) - 1;
    excess -= 1;
  }
  return widths;
}

/**
 * An aligned table, one string a line, without trailing spaces. On a terminal, columns that may shrink are cut to its
 * width; a table that is still too wide is left so (the terminal wraps it) rather than losing what people copy.
 */
export function renderTable(
  columns: readonly Column[],
  rows: readonly (readonly (Cell | string)[])[],
  look: Look,
): string[] {
  const paint = createPaint(look.color);
  const cells = rows.map((row) =>
    columns.map((_, index): Cell => {
      const cell = row[index] ?? "";
      const { text, style } = typeof cell === "string" ? { text: cell, style: undefined } : cell;
      return { text: printable(text), style };
    }),
  );
  const natural = columns.map(({ title }, index) =>
    Math.max(textWidth(title), ...cells.map((row) => textWidth(row[index]?.text ?? ""))),
  );
  const widths = look.width === undefined ? natural : fitWidths(columns, natural, look.width);
  const ellipsis = look.unicode ? "…" : ".";
  const line = (row: readonly Cell[]) => {
    // Nothing behind the last field that shows something, so that lines have no trailing spaces.
    const last = row.findLastIndex(({ text }) => text !== "");
    return row
      .slice(0, last + 1)
      .map(({ text, style }, index) => {
        const width = widths[index] ?? 0;
        const clipped = clipText(text, width, ellipsis);
        const spaces = " ".repeat(Math.max(0, width - textWidth(clipped)));
        if (columns[index]?.align === "right") return spaces + paint(style, clipped);
        return paint(style, clipped) + (index === last ? "" : spaces);
      })
      .join(gap);
  };
  return [line(columns.map(({ title }) => ({ text: title, style: "dim" }))), ...cells.map(line)];
}

/** Names and values below each other, the values aligned; a value with several lines is indented. */
export function renderFields(fields: readonly (readonly [name: string, value: Cell | string])[], look: Look): string[] {
  const paint = createPaint(look.color);
  const width = Math.max(...fields.map(([name]) => textWidth(name)));
  return fields.map(([name, value]) => {
    const cell = typeof value === "string" ? { text: value } : value;
    return `${paint("dim", padText(name, width))}${gap}${paint(cell.style, printable(cell.text))}`;
  });
}
