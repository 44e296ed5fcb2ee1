import { constants, type FileHandle, open, readFile } from "node:fs/promises";
import { flushBuffers } from "../../../agent/linux/flush-buffers.ts";
import { allocatePageAligned } from "../../../agent/linux/page-aligned.ts";
import { extentOf } from "../../../controller/images/block-map/block-map.ts";
import { parseBlockMap } from "../../../controller/images/block-map/parse-block-map.ts";
import { execa } from "../../../proto/linux/leashed-execa.ts";
import { stampPath } from "../../../proto/system/installed-system.ts";

const pieceBytes = 4 * 1024 * 1024;

/** Writes an image to a card as it is. */
export async function putImage(image: string, device: string): Promise<void> {
  await execa("dd", [`if=${image}`, `of=${device}`, "bs=4M", "oflag=direct", "conv=fsync,notrunc", "status=none"]);
}

/**
 * Fills a card with another system: the image itself, 36 KiB further on, so that (zeros excepted) no chunk of it is
 * where an image has it. Costs less than noise and looks like data to whatever compares.
 */
export async function putAnotherSystem(image: string, device: string): Promise<void> {
  const at = ["oflag=direct,seek_bytes", `seek=${36 * 1024}`];
  await execa("dd", [`if=${image}`, `of=${device}`, "bs=4M", ...at, "conv=fsync,notrunc", "status=none"]);
}

/**
 * Throws unless a card holds every byte of the image that its bmap file says holds data. Reads past the page cache:
 * what is in there of a device may be older than what was written past it.
 */
export async function checkCard(image: string, bmap: string, device: string): Promise<void> {
  const expected = await open(image, "r");
  const found = await open(device, constants.O_RDONLY | constants.O_DIRECT);
  const [want, have] = [allocatePageAligned(pieceBytes), allocatePageAligned(pieceBytes)];
  try {
    const map = parseBlockMap(await readFile(bmap));
    for (const range of map.ranges) {
      const { start, end } = extentOf(map, range);
      for (let position = start; position < end; position += pieceBytes) {
        const length = Math.min(pieceBytes, end - position);
        await Promise.all([fill(expected, want, position, length), fill(found, have, position, length)]);
        if (!want.subarray(0, length).equals(have.subarray(0, length)))
          throw new Error(`the card differs from the image in the ${length} bytes at ${position}`);
      }
    }
  } finally {
    await expected.close();
    await found.close();
  }
}

async function fill(file: FileHandle, target: Buffer, position: number, length: number): Promise<void> {
  const { bytesRead } = await file.read(target, 0, length, position);
  if (bytesRead !== length) throw new Error(`${bytesRead} of ${length} bytes at ${position}`);
}

/** Throws unless a filesystem on a card has the stamp of a write of ours. */
export async function checkStamp(device: string): Promise<void> {
  await flushBuffers({ device });
  const { stdout } = await execa("sfdisk", ["--json", device]);
  const { partitiontable } = JSON.parse(stdout) as { partitiontable: { partitions: { start: number }[] } };
  for (const { start } of partitiontable.partitions) {
    const args = ["-R", `cat ${stampPath}`, `${device}?offset=${start * 512}`];
    const { stdout: stamp } = await execa("debugfs", args, { reject: false });
    if (/"reimageId": ?"bench"/.test(stamp)) return;
  }
  throw new Error("no system on the card has the stamp");
}
