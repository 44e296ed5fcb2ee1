import { closeSync, fsyncSync, openSync, readFileSync, writeSync } from "node:fs";

/**
 * What a state database held when it was changed last, kept in a file of its own beside it, by which a database that
 * has lost something is known: what was in a write-ahead log that is missing or damaged is otherwise simply gone, and
 * SQLite says nothing of it.
 */
export interface StateMark {
  /** How many durable changes the database has seen. */
  readonly changes: number;
  /** How many nodes it knew. */
  readonly nodes: number;
}

/** The mark of a database that may change. */
export interface MarkFile {
  /**
   * At once for other processes, and for a later start of this one; after a power cut it may be older. Never newer than
   * the database, so call it after a change is durable.
   */
  write(mark: StateMark): void;
  /** Waits until what was written last is on disk. */
  flush(): void;
  close(): void;
}

/** Overwritten in place, at one length: that takes no space, so a full disk does not stop it. */
const length = 128;

/** Where the mark of a database is. */
export function markPathOf(database: string): string {
  return `${database}.mark`;
}

/** The mark in a file. One that is missing or damaged says nothing: undefined. Throws what else reading gives. */
export function readMark(path: string): StateMark | undefined {
  try {
    const { changes, nodes } = JSON.parse(readFileSync(path, "utf8")) as Partial<StateMark>;
    return Number.isSafeInteger(changes) && Number.isSafeInteger(nodes)
      ? { changes: Number(changes), nodes: Number(nodes) }
      : undefined;
  } catch (error) {
    if (error instanceof SyntaxError || (error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

/** Opens the file of a mark, made if it is not there. Throws the error of open(2). */
export function openMark(path: string): MarkFile {
  // Neither truncated nor appended to: until the first write it says what it said.
  const file = openSync(path, "a", 0o600);
  closeSync(file);
  const fd = openSync(path, "r+");
  return {
    write({ changes, nodes }) {
      const text = JSON.stringify({ changes, nodes });
      writeSync(fd, `${text.padEnd(length - 1)}\n`, 0);
    },
    flush: () => fsyncSync(fd),
    close: () => closeSync(fd),
  };
}
