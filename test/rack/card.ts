import { open, rm } from "node:fs/promises";
import process from "node:process";
import { attachLoop } from "../../proto/linux/loop-device.ts";
import { type CardMedium, seenOn } from "./card-medium.ts";

/** The SD card of a board: a loop device over a sparse file. */
export interface Card extends CardMedium {
  /** Block device as the board's kernel sees it, for example "/dev/loop3". */
  readonly device: string;
  readonly sizeBytes: number;
  /** Changes what is on the medium; only while the board is off. */
  write(offsetBytes: number, bytes: Uint8Array): Promise<void>;
  /** Path of the medium, for tools that read disk images; valid while this process holds the card. */
  readonly file: string;
  close(): Promise<void>;
}

/** Makes a blank card. It is detached when this process ends, however it ends. */
export async function createCard(file: string, sizeBytes: number): Promise<Card> {
  const medium = await open(file, "wx+");
  await medium.truncate(sizeBytes);
  // A file without a name under a device that goes at its last close: the kernel tidies up after us.
  const loop = await attachLoop({ file, partitions: true }).finally(() => rm(file));
  const device = loop.path;

  return {
    device,
    sizeBytes,
    file: `/proc/${process.pid}/fd/${medium.fd}`,
    ...seenOn(medium),
    async write(offsetBytes, bytes) {
      // Through the device, so that its cache and the medium stay the same.
      const through = await open(device, "r+");
      try {
        await through.write(bytes, 0, bytes.length, offsetBytes);
        await through.sync();
      } finally {
        await through.close();
      }
    },
    async close() {
      await loop.close();
      await medium.close();
    },
  };
}
