import assert from "node:assert/strict";
import { execa } from "../../proto/linux/leashed-execa.ts";
import { readImage, type TinyImage } from "../tiny-image.ts";
import type { Card } from "./card.ts";

/** A file of the root filesystem on the card, read without mounting it (debugfs(8)). */
export async function readRootFile(card: Card, image: TinyImage, path: string): Promise<string> {
  const { stdout } = await execa("debugfs", ["-R", `cat ${path}`, `${card.file}?offset=${image.root.offsetBytes}`]);
  return stdout;
}

/** Partition table and boot partition are the image's byte for byte; the root filesystem is the image's and healthy. */
export async function assertHoldsImage(card: Card, image: TinyImage): Promise<void> {
  const start = { offsetBytes: 0, lengthBytes: image.root.offsetBytes };
  const [found, expected] = await Promise.all([card.read(0, start.lengthBytes), readImage(image, start)]);
  const difference = found.equals(expected) ? -1 : found.findIndex((byte, index) => byte !== expected[index]);
  assert.equal(difference, -1, `the card differs from the image at byte ${difference}`);
  assert.equal((await readRootFile(card, image, "/etc/tiny-image")).trim(), image.marker);
}
