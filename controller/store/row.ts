import type { SQLOutputValue } from "node:sqlite";

/** A row as node:sqlite returns it. */
export type Row = Readonly<Record<string, SQLOutputValue>>;

/** The text in a column; throws when it holds something else. */
export function textOf(row: Row, column: string): string {
  const value = row[column];
  if (typeof value !== "string") throw unexpected(column, value, "text");
  return value;
}

/** The number in a column; throws when it holds something else. */
export function numberOf(row: Row, column: string): number {
  const value = row[column];
  if (typeof value !== "number") throw unexpected(column, value, "a number");
  return value;
}

/** The text in a column, or undefined for NULL. */
export function optionalTextOf(row: Row, column: string): string | undefined {
  return row[column] === null ? undefined : textOf(row, column);
}

/** The number in a column, or undefined for NULL. */
export function optionalNumberOf(row: Row, column: string): number | undefined {
  return row[column] === null ? undefined : numberOf(row, column);
}

function unexpected(column: string, value: unknown, wanted: string): Error {
  return new Error(`the state database holds ${value === null ? "NULL" : typeof value} in ${column}, not ${wanted}`);
}
