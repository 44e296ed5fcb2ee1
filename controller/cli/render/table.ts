import { printable } from "./printable.ts";
import { createPaint, type Look, type Style } from "./style.ts";
import { clipText, padText, textWidth } from "./text-width.ts";

/** One field of a table: its raw text, made safe when it is shown. */
export interface Cell {
  readonly text: string;
  readonly style?: Style | undefined;
}

/** A column. */
export interface Column {
  readonly title: string;
  readonly align?: "left" | "right";
  /**
   * How narrow the column may become if the table is wider than the terminal. Columns without it are never cut: names,
   * ids and paths that people copy.
   */
  readonly shrinkTo?: number;
  /** Whether the column may be omitted if the table is wider than the terminal; the last such column goes first. */
  readonly isOptional?: boolean;
}

const gap = "  ";

/** The minimum width of the table. */
function leastWidth(columns: readonly Column[], natural: readonly number[]): number {
  return columns.reduce(
    (sum, { shrinkTo }, index) => sum + Math.min(natural[index] ?? 0, shrinkTo ?? Number.POSITIVE_INFINITY),
    gap.length * Math.max(0, columns.length - 1),
  );
}

/** The indices of the columns to keep. */
function fittingColumns(columns: readonly Column[], natural: readonly number[], limit: number): number[] {
  const kept = columns.map((_, index) => index);
  const pick = <T>(values: readonly T[]) => values.filter((_, index) => kept.includes(index));
  while (leastWidth(pick(columns), pick(natural)) > limit) {
    const last = kept.findLastIndex((index) => columns[index]?.isOptional === true);
    if (last === -1) break;
    kept.splice(last, 1);
  }
  return kept;
}

/** The widths that fit: the widest shrinkable column gives way first. */
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
 * An aligned table, one string per line, without trailing spaces. On a terminal, shrinkable columns are cut to its
 * width and optional ones omitted; a table that is still too wide stays so (the terminal wraps it) rather than losing
 * what people copy. In a pipe everything is shown in full.
 */
export function renderTable(
  columns: readonly Column[],
  rows: readonly (readonly (Cell | string)[])[],
  look: Look,
): string[] {
  const safeRows = rows.map((row) =>
    columns.map((_, index): Cell => {
      const cell = row[index] ?? "";
      const { text, style } = typeof cell === "string" ? { text: cell, style: undefined } : cell;
      return { text: printable(text), style };
    }),
  );
  const natural = columns.map(({ title }, index) =>
    Math.max(textWidth(title), ...safeRows.map((row) => textWidth(row[index]?.text ?? ""))),
  );
  const kept = fittingColumns(columns, natural, look.width ?? Number.POSITIVE_INFINITY);
  const pick = <T>(values: readonly T[]) => values.filter((_, index) => kept.includes(index));
  return alignTable(pick(columns), safeRows.map(pick), pick(natural), look);
}

function alignTable(
  columns: readonly Column[],
  cells: readonly (readonly Cell[])[],
  natural: readonly number[],
  look: Look,
): string[] {
  const paint = createPaint(look.color);
  const widths = look.width === undefined ? natural : fitWidths(columns, natural, look.width);
  const ellipsis = look.unicode ? "…" : ".";
  const line = (row: readonly Cell[]) => {
    // Nothing after the last non-empty field, so that lines have no trailing spaces.
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

/** Names and values, one pair per line, with the values aligned. */
export function renderFields(fields: readonly (readonly [name: string, value: Cell | string])[], look: Look): string[] {
  const paint = createPaint(look.color);
  const width = Math.max(...fields.map(([name]) => textWidth(name)));
  return fields.map(([name, value]) => {
    const cell = typeof value === "string" ? { text: value } : value;
    return `${paint("dim", padText(name, width))}${gap}${paint(cell.style, printable(cell.text))}`;
  });
}
