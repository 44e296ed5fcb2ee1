import { type FileHandle, open } from "node:fs/promises";

const chunkBytes = 1 << 20;

/** Where a range begins. */
export interface RangeStart {
  readonly path: string;
  readonly offsetBytes: number;
}

/**
 * Makes a range of one file what a range of another is, and writes only where they differ: what is a hole stays one. The
 * file that is written is made, or grows, as it has to. What is missing at the end of the source counts as zeros. Throws
 * the errors of the files, and the signal's reason.
 */
export async function copyRange(
  from: RangeStart,
  to: RangeStart,
  lengthBytes: number,
  signal: AbortSignal,
): Promise<void> {
  const source = await open(from.path, "r");
  try {
    const target = await open(to.path, "a+").then(async (made) => {
      await made.close();
      return await open(to.path, "r+");
    });
    try {
      const end = to.offsetBytes + lengthBytes;
      if ((await target.stat()).size < end) await target.truncate(end);
      const [wanted, found] = [Buffer.alloc(chunkBytes), Buffer.alloc(chunkBytes)];
      for (let done = 0; done < lengthBytes; done += chunkBytes) {
        signal.throwIfAborted();
        const length = Math.min(chunkBytes, lengthBytes - done);
        await fill(source, wanted, length, from.offsetBytes + done);
        await fill(target, found, length, to.offsetBytes + done);
        if (wanted.equals(found)) continue;
        await target.write(wanted, 0, length, to.offsetBytes + done);
      }
    } finally {
      await target.close();
    }
  } finally {
    await source.close();
  }
}

/** Reads, and puts zeros where there is nothing to read any more. */
async function fill(file: FileHandle, buffer: Buffer, length: number, position: number): Promise<void> {
  let done = 0;
  while (done < length) {
    const { bytesRead } = await file.read(buffer, done, length - done, position + done);
    if (bytesRead === 0) break;
    done += bytesRead;
  }
  buffer.fill(0, done);
}
