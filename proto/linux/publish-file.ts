import { closeSync, fsyncSync, openSync, renameSync } from "node:fs";
import { dirname } from "node:path";

/** Gives a file that is whole its name, for good: it is on disk before, and its name when this returns. Throws the error of the system call. */
export function publishFile(unfinished: string, path: string): void {
  flushPath(unfinished);
  renameSync(unfinished, path);
  flushPath(dirname(path));
}

/** Waits until a file, or the names in a folder, are on disk. */
export function flushPath(path: string): void {
  const fd = openSync(path, "r");
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}
