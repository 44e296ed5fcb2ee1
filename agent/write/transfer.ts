import { Failure, messageOf } from "../../proto/failure.ts";
import type { OpenDevice } from "./open-device.ts";

/** A transfer between memory and a disk. Offset and length are multiples of the disk's sector. */
export interface Transfer {
  readonly buffer: Uint8Array;
  /** Where the bytes start in the buffer; keeps it aligned to the sector. */
  readonly bufferOffset: number;
  readonly lengthBytes: number;
  /** Where on the disk. */
  readonly offsetBytes: number;
}

/** A length up to the end of the disk's sector in which it ends. */
export function paddedToSector({ sectorBytes }: OpenDevice, lengthBytes: number): number {
  return Math.ceil(lengthBytes / sectorBytes) * sectorBytes;
}

/** Writes all bytes. Throws a Failure "device-error" with the range that the disk refused. */
export async function writeFully(device: OpenDevice, transfer: Transfer): Promise<void> {
  await transferFully(device, transfer, "write", async (at, length, position) => {
    const { bytesWritten } = await device.handle.write(transfer.buffer, at, length, position);
    return bytesWritten;
  });
}

/** Reads all bytes. Throws a Failure "device-error" with the range that the disk refused. */
export async function readFully(device: OpenDevice, transfer: Transfer): Promise<void> {
  await transferFully(device, transfer, "read", async (at, length, position) => {
    const { bytesRead } = await device.handle.read(transfer.buffer, at, length, position);
    return bytesRead;
  });
}

/** Flushes what was written. Throws a Failure "device-error". */
export async function syncDevice({ handle, path, askDisk }: OpenDevice): Promise<void> {
  const answered = askDisk();
  try {
    await handle.datasync();
  } catch (cause) {
    throw new Failure("device-error", `${path} could not flush what was written to it: ${messageOf(cause)}`, {
      cause,
    });
  } finally {
    answered();
  }
}

async function transferFully(
  { path, askDisk }: OpenDevice,
  { bufferOffset, lengthBytes, offsetBytes }: Transfer,
  verb: "read" | "write",
  move: (at: number, length: number, position: number) => Promise<number>,
): Promise<void> {
  for (let done = 0; done < lengthBytes; ) {
    const left = lengthBytes - done;
    const position = offsetBytes + done;
    const refused = (words: string, cause?: unknown): Failure =>
      new Failure("device-error", `cannot ${verb} ${left} bytes at byte ${position} of ${path}: ${words}`, {
        range: { device: path, offsetBytes: position, lengthBytes: left },
        cause,
      });
    const answered = askDisk();
    const moved = await move(bufferOffset + done, left, position)
      .catch((error: unknown) => {
        throw refused(messageOf(error), error);
      })
      .finally(answered);
    if (moved === 0) throw refused("the disk ends there");
    done += moved;
  }
}
