import { readFile } from "node:fs/promises";
import type { Logger } from "pino";
import { type InstalledSystem, parseStamp } from "../../proto/system/installed-system.ts";

/**
 * The stamp that a reimage left in this system; undefined where there is none. A stamp that cannot be read or is broken
 * proves nothing: it is logged and left out, so that the node still reports.
 */
export async function readInstalled(file: string, log: Logger): Promise<InstalledSystem | undefined> {
  try {
    return parseStamp(await readFile(file, "utf8"));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    log.warn({ err: error, file }, "ignoring the stamp of the installed system");
    return undefined;
  }
}
