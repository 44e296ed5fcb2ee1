import { createHash } from "node:crypto";
import type { FileContent, FileSource } from "../../../../../controller/boot/tftp/file-content.ts";

/** Files of a server under test, with a record of how they were used. */
export interface InMemoryFiles extends FileSource {
  /** How each opened file was closed, in order. */
  readonly closed: { path: string; outcome: string; bytes: number }[];
  /** How many files were opened. */
  readonly opened: () => number;
  /** Largest piece that was ever read at once, in bytes. */
  readonly largestRead: () => number;
}

/** A source whose files are given, or made by a function of the path. */
export function inMemoryFiles(find: (path: string) => Uint8Array | undefined): InMemoryFiles {
  const closed: InMemoryFiles["closed"] = [];
  let largestRead = 0;
  let opened = 0;
  return {
    closed,
    opened: () => opened,
    largestRead: () => largestRead,
    async open(path) {
      const bytes = find(path);
      if (path.startsWith("forbidden")) return { kind: "refused", message: `${path} may not be read` };
      if (bytes === undefined) return { kind: "not-found", message: `${path}: there is no such file` };
      opened += 1;
      const content: FileContent = {
        sizeBytes: bytes.length,
        async read(target, positionBytes) {
          largestRead = Math.max(largestRead, target.length);
          const piece = bytes.subarray(positionBytes, positionBytes + target.length);
          target.set(piece);
          return piece.length;
        },
        async close({ outcome, bytes: sent }) {
          closed.push({ path, outcome, bytes: sent });
        },
      };
      return { kind: "file", content };
    },
  };
}

/** Bytes that look random and are the same for the same name and length. */
export function bytesOf(name: string, length: number): Buffer {
  const block = createHash("sha512").update(name).digest();
  const bytes = Buffer.alloc(length);
  for (let offset = 0; offset < length; offset += block.length) {
    block.writeUInt32LE(offset);
    block.copy(bytes, offset);
  }
  return bytes;
}
