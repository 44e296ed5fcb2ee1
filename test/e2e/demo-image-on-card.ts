import assert from "node:assert/strict";
import { mkdir, mkdtemp, open, rm } from "node:fs/promises";
import path from "node:path";
import { execa } from "execa";
import type { DemoImage } from "../../scripts/demo-image/build-demo-image.ts";
import type { Card } from "../rack/card.ts";

const MiB = 1024 * 1024;
/** Layout of the demo image; see scripts/demo-image/write-disk-image.ts. */
const bootOffset = 4 * MiB;
const rootOffset = 48 * MiB;

/** What a reimage adds to the image's root filesystem, and what the running system changes in it. */
const changedByDesign = [
  /^etc\/pallet(\/|$)/,
  /^etc\/inittab$/,
  /^usr\/lib\/pallet(\/|$)/,
  /^etc\/resolv\.conf$/,
  /^(run|tmp|proc|sys|dev|var)(\/|$)/,
];

/**
 * The card holds the image: everything before the first partition to the byte, the FAT partition to the byte but for
 * the sectors in which a system that runs notes that it has it mounted, and every file of the root filesystem, read
 * without mounting it, but for those that a reimage and a boot change by design.
 */
export async function assertHoldsDemoImage(card: Card, image: DemoImage, folder: string): Promise<void> {
  const file = await open(image.imagePath, "r");
  try {
    const expected = Buffer.alloc(rootOffset);
    await file.read(expected, 0, rootOffset, 0);
    const found = await card.read(0, rootOffset);
    // Boot sector with the "dirty" flag, FSINFO, and their copies (Microsoft's FAT specification 1.03).
    for (const sector of [0, 1, 6, 7]) {
      const offset = bootOffset + sector * 512;
      found.copy(expected, offset, offset, offset + 512);
    }
    const difference = found.equals(expected) ? -1 : found.findIndex((byte, index) => byte !== expected[index]);
    assert.equal(difference, -1, `the card differs from the image at byte ${difference}`);
  } finally {
    await file.close();
  }

  const temporary = await mkdtemp(path.join(folder, "compare-"));
  try {
    const [ours, theirs] = [path.join(temporary, "card"), path.join(temporary, "image")];
    await Promise.all([extract(card.file, ours), extract(image.imagePath, theirs)]);
    const { stdout } = await execa("diff", ["--brief", "--recursive", "--no-dereference", theirs, ours], {
      reject: false,
    });
    const changed = stdout
      .split("\n")
      .filter(Boolean)
      .map((line) =>
        line.replace(/^Only in \S*\/(card|image)\/?(\S*): /, "$2/").replace(/^Files \S*\/image\/(\S+) and .*$/, "$1"),
      )
      .map((name) => name.replace(/^\//, ""))
      .filter((name) => !changedByDesign.some((pattern) => pattern.test(name)));
    assert.deepEqual(changed, [], "files differ from the image's");
  } finally {
    await rm(temporary, { recursive: true });
  }
}

async function extract(disk: string, folder: string): Promise<void> {
  await mkdir(folder);
  await execa("debugfs", ["-R", `rdump / ${folder}`, `${disk}?offset=${rootOffset}`]);
}
