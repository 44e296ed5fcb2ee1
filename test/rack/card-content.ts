import assert from "node:assert/strict";
import { stat } from "node:fs/promises";
import { setTimeout as delay } from "node:timers/promises";
import { execa } from "../../proto/linux/leashed-execa.ts";
import { readImage, type TinyImage } from "../tiny-image.ts";
import type { Card } from "./card.ts";

/**
 * A file of the root filesystem on the card, read without mounting it (debugfs(8)). A board that runs from it may be
 * writing: what is halfway to the card is looked at again.
 */
export async function readRootFile(card: Card, image: TinyImage, path: string): Promise<string> {
  for (let tries = 1; ; tries += 1) {
    const from = `${card.file}?offset=${image.root.offsetBytes}`;
    const { stdout, stderr } = await execa("debugfs", ["-R", `cat ${path}`, from]);
    const [, ...problems] = stderr.split("\n");
    if (problems.length === 0 || tries === 5) {
      assert.deepEqual(problems, [], `debugfs cannot read ${path}`);
      return stdout;
    }
    await delay(1_000);
  }
}

/** What a reimage makes of config.txt on the card of a Pi 3 (card-firmware.test.ts), as FAT's folders have the names. */
const renamed = ["CONFIG  OFF", "CONFIG  TXT"] as const;

/**
 * Partition table and boot partition are the image's byte for byte, but for the length of the root and the renamed
 * config.txt of a board that would boot its card; the root filesystem is the image's and healthy.
 */
export async function assertHoldsImage(card: Card, image: TinyImage): Promise<void> {
  const start = { offsetBytes: 0, lengthBytes: image.root.offsetBytes };
  const [onCard, expected] = await Promise.all([card.read(0, start.lengthBytes), readImage(image, start)]);
  const found = Buffer.from(onCard.toString("latin1").replace(...renamed), "latin1");
  // Where the second slot of the boot record has the end of the root, and its length.
  for (const [from, to] of [
    [467, 470],
    [474, 478],
  ] as const)
    expected.copy(found, from, from, to);
  const difference = found.equals(expected) ? -1 : found.findIndex((byte, index) => byte !== expected[index]);
  assert.equal(difference, -1, `the card differs from the image at byte ${difference}`);
  assert.equal((await readRootFile(card, image, "/etc/tiny-image")).trim(), image.marker);
}

/** The root partition and its filesystem reach to the end of the card. */
export async function assertGrown(card: Card, image: TinyImage): Promise<void> {
  const table = await card.read(0, 512);
  const rootBytes = table.readUInt32LE(474) * 512;
  const { size } = await stat(card.file);
  const left = size - image.root.offsetBytes - rootBytes;
  assert.ok(left >= 0 && left < 1024 * 1024, `${left} bytes of the card are left`);
  const { stdout } = await execa("debugfs", ["-R", "stats -h", `${card.file}?offset=${image.root.offsetBytes}`]);
  const read = (name: string) => Number(new RegExp(`^${name}: +(\\d+)$`, "m").exec(stdout)?.[1]);
  const filesystemBytes = read("Block count") * read("Block size");
  assert.ok(rootBytes - filesystemBytes < 8 * 1024 * 1024, `${filesystemBytes} of ${rootBytes} bytes`);
}
