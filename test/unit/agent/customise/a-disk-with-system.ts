import { mkdir } from "node:fs/promises";
import path from "node:path";
import type { TestContext } from "node:test";
import { execa } from "execa";
import type { ImageDigest } from "../../../../proto/pack/digest.ts";
import type { InstalledSystem } from "../../../../proto/system/installed-system.ts";
import { aLoopDevice, type LoopDevice } from "../disk/a-loop-device.ts";

const mebibyte = 1024 * 1024;

/** Where the tests have a root filesystem on a disk. */
export const root = { offsetBytes: 9 * mebibyte, lengthBytes: 16 * mebibyte, filesystemType: "ext4" } as const;

/** What is to be remembered in it of how it was installed. */
export const stamp: InstalledSystem = {
  imageName: "debian-12",
  imageDigest: "ab".repeat(32) as ImageDigest,
  reimageId: "reimage-1",
  installedAt: "2026-01-02T03:04:05.000Z",
};

/**
 * A disk of 32 MiB without a partition table, in which an ext4 with this content (and a folder /etc) is at that place.
 * The content is made in a folder.
 */
export async function aDiskWithSystem(
  test: TestContext,
  place: { readonly offsetBytes: number; readonly lengthBytes: number },
  fill: (content: string) => Promise<unknown>,
): Promise<LoopDevice> {
  const disk = await aLoopDevice(test, 32);
  const content = path.join(disk.folder, "content");
  await mkdir(path.join(content, "etc"), { recursive: true });
  await fill(content);
  const options = ["-E", `offset=${place.offsetBytes}`, "-d", content];
  await execa("mkfs.ext4", ["-q", ...options, disk.path, `${place.lengthBytes / mebibyte}M`]);
  return disk;
}
