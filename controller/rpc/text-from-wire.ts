import { invalid } from "../refusal.ts";

/** Text from a stranger, fit for a log line and a terminal: control characters replaced, cut at `maxLength`. */
export function plainText(text: string, maxLength = 256): string {
  return text.replaceAll(/[\p{Cc}\p{Zl}\p{Zp}]/gu, "?").slice(0, maxLength);
}

/** An id as this API has them: 1 to 64 characters of [A-Za-z0-9._-]. Throws a Failure that names the field. */
export function idFromWire(field: string, text: string): string {
  if (/^[A-Za-z0-9._-]{1,64}$/.test(text)) return text;
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
