import { type FileHandle, open } from "node:fs/promises";
import type { TestContext } from "node:test";
import type { DiskReader } from "../../../../../controller/images/capture/disk-reader.ts";
import { isZero } from "../../../../../proto/pack/is-zero.ts";

/** A disk that is a file, with what was asked of it. */
export interface ADiskReader extends DiskReader {
  readonly isClosed: () => boolean;
  /** Bytes that were read. */
  readonly readBytes: () => number;
}

const pieceBytes = 64 * 1024;

/** Reads a file as an agent would a disk; throws `breaksBy` once so many bytes were read. */
export async function aDiskReader(
  test: TestContext,
  path: string,
  { breaksAfter = Number.POSITIVE_INFINITY, breaksBy = new Error("broken") } = {},
): Promise<ADiskReader> {
  const file: FileHandle = await open(path, "r");
  test.after(() => file.close());
  let [closed, read] = [false, 0];
  return {
    sizeBytes: (await file.stat()).size,
    isClosed: () => closed,
    readBytes: () => read,
    async *read(parts) {
      for (const { start, end } of parts)
        for (let at = start; at < end; at += pieceBytes) {
          if (closed) throw new Error("it is closed");
          const bytes = Buffer.alloc(Math.min(pieceBytes, end - at));
          await file.read(bytes, 0, bytes.length, at);
          read += bytes.length;
          if (read > breaksAfter) throw breaksBy;
          yield { offsetBytes: at, lengthBytes: bytes.length, ...(!isZero(bytes) && { bytes }) };
        }
    },
    close() {
      closed = true;
    },
  };
}
