import assert from "node:assert/strict";
import { execa } from "../../proto/linux/leashed-execa.ts";
import { readImage, type TinyImage } from "../tiny-image.ts";
import type { Card } from "./card.ts";

/** A file of the root filesystem on the card, read without mounting it (debugfs(8)). */
export async function readRootFile(card: Card, image: TinyImage, path: string): Promise<string> {
  const { stdout } = await execa("debugfs", ["-R", `cat ${path}`, `${card.file}?offset=${image.root.offsetBytes}`]);
  return stdout;
}

/** What a reimage makes of config.txt on the card of a Pi 3 (card-firmware.test.ts), as FAT's folders have the names. */
const renamed = ["CONFIG  OFF", "CONFIG  TXT"] as const;

/**
 * Partition table and boot partition are the image's byte for byte, but for the renamed config.txt of a board that would
 * boot its card; the root filesystem is the image's and healthy.
 */
export async function assertHoldsImage(card: Card, image: TinyImage): Promise<void> {
  const start = { offsetBytes: 0, lengthBytes: image.root.offsetBytes };
  const [onCard, expected] = await Promise.all([card.read(0, start.lengthBytes), readImage(image, start)]);
  const found = Buffer.from(onCard.toString("latin1").replace(...renamed), "latin1");
  const difference = found.equals(expected) ? -1 : found.findIndex((byte, index) => byte !== expected[index]);
  assert.equal(difference, -1, `the card differs from the image at byte ${difference}`);
  assert.equal((await readRootFile(card, image, "/etc/tiny-image")).trim(), image.marker);
}
