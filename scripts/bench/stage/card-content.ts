import { type FileHandle, open, readFile } from "node:fs/promises";
import { execa } from "execa";
import { parseBlockMap } from "../measure/parse-block-map.ts";

const pieceBytes = 4 * 1024 * 1024;

/** Writes an image to a card as it is. */
export async function putImage(image: string, device: string): Promise<void> {
  await execa("dd", [`if=${image}`, `of=${device}`, "bs=4M", "oflag=direct", "conv=fsync,notrunc", "status=none"]);
}

/**
 * Fills a card with another system: the image itself, 36 KiB further on, so that (zeros excepted) no chunk of it is where
 * an image has it. Costs less than noise and looks like data to whatever compares.
 */
export async function putAnotherSystem(image: string, device: string): Promise<void> {
  const at = ["oflag=direct,seek_bytes", `seek=${36 * 1024}`];
  await execa("dd", [`if=${image}`, `of=${device}`, "bs=4M", ...at, "conv=fsync,notrunc", "status=none"]);
}

/** Throws unless a card holds every byte of the image that its bmap file says holds data. */
export async function checkCard(image: string, bmap: string, device: string): Promise<void> {
  // What was read of the device before it was written past the page cache may still be in the cache.
  await execa("blockdev", ["--flushbufs", device]);
  const [expected, found] = [await open(image, "r"), await open(device, "r")];
  try {
    for (const range of parseBlockMap(await readFile(bmap, "utf8")).ranges) {
      for (let done = 0; done < range.lengthBytes; done += pieceBytes) {
        const length = Math.min(pieceBytes, range.lengthBytes - done);
        const [want, have] = await Promise.all([
          piece(expected, range.offsetBytes + done, length),
          piece(found, range.offsetBytes + done, length),
        ]);
        if (!want.equals(have)) throw new Error(`the card differs from the image at about ${range.offsetBytes + done}`);
      }
    }
  } finally {
    await expected.close();
    await found.close();
  }
}

async function piece(file: FileHandle, position: number, length: number): Promise<Buffer> {
  const bytes = Buffer.allocUnsafe(length);
  const { bytesRead } = await file.read(bytes, 0, length, position);
  if (bytesRead !== length) throw new Error(`${bytesRead} of ${length} bytes at ${position}`);
  return bytes;
}
