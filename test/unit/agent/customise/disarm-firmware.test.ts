import assert from "node:assert/strict";
import { constants } from "node:fs";
import { open, readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { describe, it, type TestContext } from "node:test";
import { execa } from "execa";
import { customise } from "../../../../agent/customise/customise.ts";
import { disarmFirmware } from "../../../../agent/customise/disarm-firmware.ts";
import { allocatePageAligned } from "../../../../agent/linux/page-aligned.ts";
import { assertDetached } from "../../../assert-detached.ts";
import { requires } from "../../../requirements.ts";
import { aLoopDevice, type LoopDevice } from "../disk/a-loop-device.ts";

const mebibyte = 1 << 20;
const first = { offsetBytes: mebibyte, lengthBytes: 8 * mebibyte };
const second = { offsetBytes: 9 * mebibyte, lengthBytes: 8 * mebibyte };
const environment = { MTOOLSRC: "/dev/null", MTOOLS_SKIP_CHECK: "1" };
const bootcode = ["bootcode.bin"];

/** A disk without a partition table, with a FAT that has these files (content: their names) at each of the places. */
async function aDisk(test: TestContext, ...systems: (readonly string[])[]): Promise<LoopDevice> {
  const disk = await aLoopDevice(test, 32);
  for (const [index, files] of systems.entries()) {
    const { offsetBytes, lengthBytes } = index === 0 ? first : second;
    const place = ["-F", "16", "-s", "1", "-n", "bootfs", "-i", "1234ABCD", `--offset=${offsetBytes / 512}`];
    await execa("mkfs.vfat", ["-I", "--mbr=n", ...place, disk.path, `${lengthBytes / 1024}`]);
    for (const file of files)
      await execa("mcopy", ["-i", `${disk.path}@@${offsetBytes}`, "-", `::${file}`], { input: file, env: environment });
  }
  await execa("blockdev", ["--flushbufs", disk.path]);
  return disk;
}

/** The filesystem as the disk has it, past the cache, in a file of its own. */
async function copyOf(disk: LoopDevice, place: typeof first): Promise<string> {
  const direct = await open(disk.path, constants.O_RDONLY | constants.O_DIRECT);
  const bytes = allocatePageAligned(place.lengthBytes);
  await direct.read(bytes, 0, place.lengthBytes, place.offsetBytes);
  await direct.close();
  const file = path.join(disk.folder, `at-${place.offsetBytes}.img`);
  await writeFile(file, bytes);
  return file;
}

/** Names and contents of all files, after fsck.vfat has found nothing wrong. */
async function filesOf(disk: LoopDevice, place: typeof first): Promise<Record<string, string>> {
  const file = await copyOf(disk, place);
  await execa("fsck.vfat", ["-n", file]);
  const { stdout } = await execa("mdir", ["-i", file, "-b", "-a", "::/"], { env: environment, reject: false });
  const names = stdout.split("\n").filter((line) => line.startsWith("::/"));
  const contents = names.map(async (name) => (await execa("mtype", ["-i", file, name], { env: environment })).stdout);
  return Object.fromEntries((await Promise.all(contents)).map((content, index) => [names[index]?.slice(3), content]));
}

async function probe(disk: LoopDevice, place: typeof first): Promise<string> {
  return (await execa("blkid", ["--probe", "--output", "export", await copyOf(disk, place)])).stdout;
}

describe("disarmFirmware", requires("root", "loop devices"), () => {
  it("renames what a firmware looks for on every partition, and leaves every other file", async (test) => {
    const disk = await aDisk(test, ["config.txt", "bootcode.bin", "start.elf"], ["BOOTCODE.BIN", "autoboot.txt"]);
    // Whoever writes the disk has it for himself.
    const held = await open(disk.path, constants.O_RDWR | constants.O_EXCL | constants.O_DIRECT);
    const firmware = { action: "rename", partitions: [first, second], files: bootcode } as const;
    await disarmFirmware({ device: disk.path, firmware });
    await held.close();
    assert.deepEqual(await filesOf(disk, first), {
      "config.txt": "config.txt",
      "bootcode.off": "bootcode.bin",
      "start.elf": "start.elf",
    });
    assert.deepEqual(await filesOf(disk, second), { "BOOTCODE.OFF": "BOOTCODE.BIN", "autoboot.txt": "autoboot.txt" });
  });

  it("leaves a partition without such a file as it is to the byte", async (test) => {
    const disk = await aDisk(test, ["config.txt"]);
    const before = await readFile(await copyOf(disk, first));
    await disarmFirmware({ device: disk.path, firmware: { action: "rename", partitions: [first], files: bootcode } });
    assert.ok(before.equals(await readFile(await copyOf(disk, first))));
  });

  it("does it again after an upgrade has put the file back", async (test) => {
    const disk = await aDisk(test, ["bootcode.bin"]);
    const firmware = { action: "rename", partitions: [first], files: bootcode } as const;
    await disarmFirmware({ device: disk.path, firmware });
    await disarmFirmware({ device: disk.path, firmware });
    const drive = `${disk.path}@@${first.offsetBytes}`;
    await execa("mcopy", ["-i", drive, "-", "::bootcode.bin"], { input: "newer", env: environment });
    await disarmFirmware({ device: disk.path, firmware });
    assert.deepEqual(await filesOf(disk, first), { "bootcode.off": "newer" });
  });

  it("is not stopped by a deleted file after the one to rename, at which mtools fails for longer names", async (test) => {
    const disk = await aDisk(test, ["bootcode.bin", "some.other.long-name"]);
    await execa("mdel", ["-i", `${disk.path}@@${first.offsetBytes}`, "::some.other.long-name"], { env: environment });
    await disarmFirmware({ device: disk.path, firmware: { action: "rename", partitions: [first], files: bootcode } });
    assert.deepEqual(await filesOf(disk, first), { "bootcode.off": "bootcode.bin" });
  });

  it("reformats with the label, serial number and kind of FAT that were there, and touches nothing else", async (test) => {
    const disk = await aDisk(test, ["bootcode.bin", "config.txt"], ["bootcode.bin"]);
    const identity = /^(LABEL|LABEL_FATBOOT|UUID|VERSION)=.*$/gm;
    const before = (await probe(disk, first)).match(identity);
    const held = await open(disk.path, constants.O_RDWR | constants.O_EXCL | constants.O_DIRECT);
    const firmware = { action: "reformat", partitions: [first], files: [] } as const;
    await disarmFirmware({ device: disk.path, firmware });
    await held.close();
    assert.equal(before?.length, 4);
    assert.deepEqual((await probe(disk, first)).match(identity), before);
    assert.deepEqual(await filesOf(disk, first), {});
    assert.deepEqual(await filesOf(disk, second), { "bootcode.bin": "bootcode.bin" });
    await assertDetached(disk.path);
    await disarmFirmware({ device: disk.path, firmware });
    assert.deepEqual((await probe(disk, first)).match(identity), before);
  });

  it("says where there is no FAT filesystem", async (test) => {
    const disk = await aLoopDevice(test, 32);
    for (const [action, reason] of [
      ["rename", "tool-failed"],
      ["reformat", "invalid"],
    ] as const)
      await assert.rejects(
        disarmFirmware({ device: disk.path, firmware: { action, partitions: [first], files: bootcode } }),
        { reason, message: new RegExp(`FAT filesystem.* at byte ${mebibyte} of ${disk.path}`) },
      );
    await assertDetached(disk.path);
  });

  it("does nothing when it is cancelled already", async (test) => {
    const disk = await aDisk(test, ["bootcode.bin"]);
    const firmware = { action: "rename", partitions: [first], files: bootcode } as const;
    await assert.rejects(disarmFirmware({ device: disk.path, firmware, signal: AbortSignal.abort() }), {
      reason: "cancelled",
    });
    assert.deepEqual(await filesOf(disk, first), { "bootcode.bin": "bootcode.bin" });
  });

  it("is a part of customising, also where nothing is placed into the system", async (test) => {
    const disk = await aDisk(test, ["bootcode.bin"]);
    const diskFirmware = { action: "rename", partitions: [first], files: bootcode } as const;
    await customise({ device: disk.path, resident: false, diskFirmware });
    assert.deepEqual(await filesOf(disk, first), { "bootcode.off": "bootcode.bin" });
  });
});
