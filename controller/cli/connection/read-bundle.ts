import { readFileSync } from "node:fs";
import { Failure } from "../../../proto/failure.ts";
import { type Bundle, parseBundle } from "./parse-bundle.ts";

/** The bundle in a file. Throws a Failure that says why it cannot be used. */
export function readBundle(path: string): Bundle {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    throw new Failure("invalid", `the bundle ${path} cannot be read (${code ?? message})`, { cause });
  }
  return parseBundle(text, path);
}
