import { readFileSync, writeFileSync } from "node:fs";
import { inspect } from "node:util";
import { deserialize, serialize } from "node:v8";
import { deflateSync, inflateSync } from "node:zlib";
import type { Finding } from "./play.ts";

/** An input that once broke a family's property, as it is kept in the tree. */
export interface SavedInput {
  readonly family: string;
  /** What fast-check made it from. */
  readonly seed: number;
  readonly path: string;
  /** What was wrong, for people. */
  readonly error: string;
  /** How it looks, for people. */
  readonly shown: string;
  /**
   * The input itself, as `v8.serialize` writes it, deflated, in base64: seed and path mean another one when the family
   * changes.
   */
  readonly input: string;
}

/** The inputs that are played before all others. */
export const savedInputsFile = new URL("../seeds.json", import.meta.url);

/** Reads them; none when there is no file. */
export function readSavedInputs(file: URL = savedInputsFile): readonly SavedInput[] {
  return JSON.parse(readFileSync(file, "utf8")) as SavedInput[];
}

/** The input itself. */
export function inputOf({ input }: SavedInput): unknown {
  return deserialize(inflateSync(Buffer.from(input, "base64")));
}

/** Adds one; the same input twice is kept once. */
export function saveFinding({ family, seed, path, input, error }: Finding, file: URL = savedInputsFile): void {
  const saved: SavedInput = {
    family,
    seed,
    path,
    error: (error.split("\n")[0] ?? "").slice(0, 200),
    shown: inspect(input, { breakLength: Number.POSITIVE_INFINITY, maxStringLength: 120 }).slice(0, 200),
    input: deflateSync(serialize(input)).toString("base64"),
  };
  const others = readSavedInputs(file).filter((other) => other.family !== family || other.input !== saved.input);
  writeFileSync(file, `${JSON.stringify([...others, saved], undefined, 2)}\n`);
}
