import { readFile } from "node:fs/promises";
import { errorCodeOf } from "../../proto/linux/error-code-of.ts";

/** The text of a file (UTF-8); undefined where there is none. Rejects with the filesystem's other errors. */
export async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    if (errorCodeOf(error) === "ENOENT") return undefined;
    throw error;
  }
}
