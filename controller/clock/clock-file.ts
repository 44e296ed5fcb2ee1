import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { publishFile } from "../../proto/linux/publish-file.ts";
import { parseTime, renderTime } from "./judge-clock.ts";

/** The file in a state directory that says what time it was last. */
export interface ClockFile {
  readonly path: string;
  /** Milliseconds since the epoch; undefined where there is no such file, or nothing in it that is a time. */
  read(): number | undefined;
  /** Replaces it in one step; in whole seconds, of which it is the next. Throws the error of the system call. */
  write(atMs: number): void;
}

export function openClockFile(stateDirectory: string): ClockFile {
  const path = join(stateDirectory, "time");
  return {
    path,
    read() {
      try {
        return parseTime(readFileSync(path, "utf8"));
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
        throw error;
      }
    },
    write(atMs) {
      const draft = `${path}.new`;
      // Upward: who goes on from there must not go back within this second.
      writeFileSync(draft, `${renderTime(Math.ceil(atMs / 1000) * 1000)}\n`, { mode: 0o600 });
      publishFile(draft, path);
    },
  };
}
