import { randomBytes } from "node:crypto";
import { mkdtemp, open, readdir, rm } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import type { TestContext } from "node:test";
import { execa } from "execa";
import { attachLoop } from "../../../../proto/linux/loop-device.ts";

/** A loop device over a file of its own, both of which go away after the test. */
export interface LoopDevice {
  readonly path: string;
  /** The kernel's name, "loop3". */
  readonly name: string;
  readonly sizeBytes: number;
  /** A folder that goes away with it. */
  readonly folder: string;
}

const mebibyte = 1024 * 1024;

/** Attaches a loop device of so many MiB; what is mounted on it or in its folder after the test is unmounted first. */
export async function aLoopDevice(test: TestContext, sizeMib = 64, sectorBytes = 512): Promise<LoopDevice> {
  const folder = await mkdtemp(path.join(os.tmpdir(), "pallet-loop-"));
  const file = path.join(folder, `disk-${randomBytes(4).toString("hex")}.img`);
  const handle = await open(file, "w");
  await handle.truncate(sizeMib * mebibyte);
  await handle.close();
  const loop = await attachLoop({ file, sectorBytes });
  const device = loop.path;
  const name = path.basename(device);
  // Partitions that someone told the kernel of stay with the number, even when whoever had it was killed.
  const left = (await readdir(`/sys/block/${name}`)).some((entry) => entry.startsWith(`${name}p`));
  if (left) await execa("partx", ["--delete", device]);
  test.after(async () => {
    await execa("umount", ["--all-targets", device], { reject: false });
    await execa("partx", ["--delete", device], { reject: false });
    await loop.close();
    await rm(folder, { recursive: true });
  });
  return { path: device, name, sizeBytes: sizeMib * mebibyte, folder };
}

/** Writes a partition table (sfdisk's script) and makes the kernel know its partitions. */
export async function partitioned(device: LoopDevice, script: string): Promise<void> {
  await execa("sfdisk", ["--quiet", "--no-reread", "--no-tell-kernel", device.path], { input: script });
  await execa("partx", ["--update", device.path]);
}
