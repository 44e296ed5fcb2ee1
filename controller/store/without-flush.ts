import type { DatabaseSync } from "node:sqlite";

/**
 * Commits without waiting for the disk; the next commit that does wait carries it along. For what nothing is decided
 * by, events and logs, so that a power cut may take the last of it: a rack that boots tells hundreds of things while
 * TFTP waits on this thread, and on an SD card each wait takes tens of milliseconds. The caller begins no transaction
 * before.
 */
export function withoutFlush<T>(database: DatabaseSync, act: () => T): T {
  database.exec("PRAGMA synchronous = NORMAL");
  try {
    return act();
  } finally {
    database.exec("PRAGMA synchronous = FULL");
  }
}
