import { isId } from "../../../proto/names/id.ts";
import { invalid } from "../../refusal/refusal.ts";

// Control characters, line and paragraph separators, and what reorders text (Unicode Standard Annex 9).
const dangerous = /[\p{Cc}\p{Zl}\p{Zp}\u200e\u200f\u061c\u202a-\u202e\u2066-\u2069]/gu;

/**
 * Text from a stranger, fit for a log line and a terminal: what could move the cursor, change colours or reorder text
 * is replaced; cut at `maxLength`.
 */
export function plainText(text: string, maxLength = 256): string {
  return text.slice(0, maxLength).replaceAll(dangerous, "?").toWellFormed();
}

/** The same for text of several lines. */
export function plainLines(text: string, maxLength: number): string {
  const lines = text.slice(0, maxLength).replaceAll("\t", "  ").split(/\r?\n/u);
  return lines
    .map((line) => line.replaceAll(dangerous, "?").trimEnd())
    .join("\n")
    .slice(0, maxLength)
    .trimEnd()
    .toWellFormed();
}

/**
 * The text of a JSON object from a stranger as the text of the same object, without white space and with everything
 * escaped that plainText would replace; undefined when it is none.
 */
export function plainJsonObject(text: string): string | undefined {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value !== "object" || value === null || Array.isArray(value)) return undefined;
    return JSON.stringify(value).replaceAll(
      dangerous,
      (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
    );
  } catch {
    // No JSON, or nested more deeply than the stack is.
    return undefined;
  }
}

/** An id as this API has them. Throws a Failure that names the field. */
export function idFromWire(field: string, text: string): string {
  if (isId(text)) return text;
  throw invalid(
    `${field} is ${JSON.stringify(plainText(text, 80))}; give 1 to 64 characters of letters, digits, ".", "_" or "-"`,
  );
}

/** Text that must not be empty. Throws a Failure that names the field. */
export function requiredText(field: string, text: string): string {
  if (text !== "") return text;
  throw invalid(`${field} is empty; give one`);
}

/** A message that must be there. Throws a Failure that names the field. */
export function required<T>(field: string, value: T | undefined): T {
  if (value !== undefined) return value;
  throw invalid(`${field} is missing`);
}
