import type { z } from "zod";

/** One thing that can be set: in the file under `key`, by the flag and the environment variable that its key gives. */
export interface Setting<T> {
  /** Path in the file, joined by dots, for example "reimage.bootTimeoutMs". */
  readonly key: string;
  /** How its value is read from the text of a flag or variable. Lists of words or groups can only be set in the file. */
  readonly kind: "text" | "path" | "integer" | "boolean" | "words" | "groups";
  /** What `kind` alone does not say about a value. */
  readonly schema: z.ZodType<T>;
  /** Used where nothing sets it; absent where there is no value then. */
  readonly fallback: T;
  /** The documentation's description of a computed fallback. */
  readonly fallbackWords?: string;
  /** What a valid value looks like, completing the sentence "give …". */
  readonly wants: string;
  /** One sentence for the documentation. */
  readonly about: string;
}
