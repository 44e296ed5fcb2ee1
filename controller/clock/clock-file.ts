import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { publishFile } from "../../proto/linux/publish-file.ts";
import { parseTime, renderTime } from "./judge-clock.ts";

/** The file in a state directory that says what time it was last. */
export interface ClockFile {
  readonly path: string;
  /** Milliseconds since the epoch; undefined where there is no such file, or nothing in it that is a time. */
  read(): number | undefined;
  /** Replaces it in one step. Throws the error of the system call. */
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
      writeFileSync(draft, `${renderTime(atMs)}\n`, { mode: 0o600 });
      publishFile(draft, path);
    },
  };
}
