import { cutText } from "../../../proto/cut-text.ts";
import { isSha256 } from "../../../proto/pack/digest.ts";
import { maxUploadBytes } from "../../../proto/upload-limits.ts";

/** The most characters of a digest or a number that are repeated. */
const mostRepeated = 80;

/** Reads fields of an entry, and keeps what is wrong with the first one that is. */
export interface FieldReader {
  /** Undefined if absent, null or empty, as for all. */
  text(field: string, mostCharacters: number): string | undefined;
  /** A SHA-256, in lower case. */
  digest(field: string): string | undefined;
  /** A number of bytes, of a file or an image; 0 counts as absent. */
  bytes(field: string): number | undefined;
  /** Something else is wrong: a clause. */
  refuse(why: string): void;
  /** What is wrong with the first one: a clause; undefined if nothing is. */
  problem(): string | undefined;
}

/** The reader of one entry. */
export function createFieldReader(value: Readonly<Record<string, unknown>>): FieldReader {
  let problem: string | undefined;
  const refuse = (why: string): undefined => {
    problem ??= why;
  };
  const text = (field: string, mostCharacters: number): string | undefined => {
    const found = value[field] ?? "";
    if (typeof found !== "string") return refuse(`its ${field} is no text`);
    if (found.length > mostCharacters) return refuse(`its ${field} has more than ${mostCharacters} characters`);
    return found === "" ? undefined : found;
  };
  return {
    text,
    digest(field) {
      const found = text(field, mostRepeated * 10)?.toLowerCase();
      if (found === undefined || isSha256(found)) return found;
      return refuse(`its ${field} is no hexadecimal SHA-256: ${cutText(found, mostRepeated)}`);
    },
    bytes(field) {
      const found = value[field] ?? 0;
      if (typeof found === "number" && Number.isInteger(found) && found >= 0 && found <= maxUploadBytes)
        return found === 0 ? undefined : found;
      const shown = typeof found === "object" ? "an object" : cutText(String(found), mostRepeated);
      return refuse(`its ${field} is no number of bytes up to ${maxUploadBytes}: ${shown}`);
    },
    refuse,
    problem: () => problem,
  };
}
