import assert from "node:assert/strict";
import { constants } from "node:fs";
import { open, readdir, readFile } from "node:fs/promises";
import { describe, it } from "node:test";
import { execa } from "execa";
import { announcePartitions, erasePartitionTable, forgetPartitions } from "../../../../agent/disk/partition-table.ts";
import { requires } from "../../../requirements.ts";
import { aLoopDevice, type LoopDevice, partitioned } from "./a-loop-device.ts";

const mebibyte = 1 << 20;

async function partitions({ name }: LoopDevice): Promise<string[]> {
  return (await readdir(`/sys/class/block/${name}`)).filter((entry) => entry.startsWith(`${name}p`)).sort();
}

async function erase(disk: LoopDevice, firstPartitionBytes = mebibyte, flags = constants.O_RDWR): Promise<void> {
  const handle = await open(disk.path, flags);
  try {
    await erasePartitionTable({ device: disk.path, handle, firstPartitionBytes, deviceBytes: disk.sizeBytes });
  } finally {
    await handle.close();
  }
}

describe("erasePartitionTable", requires("root", "loop devices"), () => {
  for (const table of ["dos", "gpt"]) {
    for (const [way, flags] of [
      ["through the cache", constants.O_RDWR],
      ["with O_DIRECT and O_EXCL", constants.O_RDWR | constants.O_DIRECT | constants.O_EXCL],
    ] as const) {
      it(`leaves nothing of a ${table} table, ${way}`, async (test) => {
        const disk = await aLoopDevice(test);
        await partitioned(disk, `label: ${table}\nsize=16MiB\nsize=16MiB\n`);
        assert.equal((await partitions(disk)).length, 2);
        await erase(disk, mebibyte, flags);
        assert.deepEqual(await partitions(disk), []);
        assert.equal((await execa("blkid", ["--probe", disk.path], { reject: false })).exitCode, 2);
        const { stdout } = await execa("wipefs", [disk.path]);
        assert.equal(stdout, "", "wipefs still finds something");
      });
    }
  }

  it("erases exactly what lies before the first partition, and the last 20 KiB", async (test) => {
    const disk = await aLoopDevice(test, 16);
    const filled = await open(disk.path, "r+");
    await filled.write(Buffer.alloc(disk.sizeBytes, 0xff));
    await filled.close();
    await erase(disk, 4 * mebibyte + 512);
    const content = await readFile(disk.path);
    const tail = disk.sizeBytes - 20480;
    assert.ok(content.subarray(0, 4 * mebibyte + 512).every((byte) => byte === 0));
    assert.ok(content.subarray(4 * mebibyte + 512, tail).every((byte) => byte === 0xff));
    assert.ok(content.subarray(tail).every((byte) => byte === 0));
  });

  it("does the same a second time", async (test) => {
    const disk = await aLoopDevice(test, 16);
    await erase(disk);
    await erase(disk);
  });

  it("names the bytes that the device refused", async (test) => {
    const disk = await aLoopDevice(test, 16);
    await assert.rejects(erase(disk, mebibyte, constants.O_RDONLY), {
      reason: "device-error",
      message: new RegExp(`cannot erase the partition table of ${disk.path}: EBADF`),
      evidence: { range: { device: disk.path, offsetBytes: 0, lengthBytes: mebibyte } },
    });
  });

  it("stops when it is cancelled", async (test) => {
    const disk = await aLoopDevice(test, 16);
    const handle = await open(disk.path, "r+");
    const signal = AbortSignal.abort();
    const request = { device: disk.path, handle, firstPartitionBytes: mebibyte, deviceBytes: disk.sizeBytes, signal };
    await assert.rejects(erasePartitionTable(request), { reason: "cancelled" });
    await handle.close();
  });
});

it("a disk that is gone is a device error that names it", async () => {
  await assert.rejects(forgetPartitions("/dev/a-card-that-was-pulled"), {
    reason: "device-error",
    message: "cannot read the partitions of /dev/a-card-that-was-pulled: it is gone; reinsert or replace it",
  });
});

describe("announcePartitions", requires("root", "loop devices"), () => {
  it("makes the kernel know the partitions of a table, also a second time and while the disk is held", async (test) => {
    const disk = await aLoopDevice(test);
    await partitioned(disk, "label: dos\nsize=16MiB\nsize=16MiB\n");
    await forgetPartitions(disk.path);
    assert.deepEqual(await partitions(disk), []);
    const held = await open(disk.path, constants.O_RDWR | constants.O_EXCL);
    try {
      await announcePartitions(disk.path);
      await announcePartitions(disk.path);
    } finally {
      await held.close();
    }
    assert.deepEqual(await partitions(disk), [`${disk.name}p1`, `${disk.name}p2`]);
  });

  it("fails where there is no table", async (test) => {
    const disk = await aLoopDevice(test, 16);
    await assert.rejects(announcePartitions(disk.path), {
      reason: "tool-failed",
      message: new RegExp(`cannot announce the partitions of ${disk.path}: partx: .*failed to read partition table`),
    });
  });
});

describe("forgetPartitions", requires("root", "loop devices"), () => {
  it("waits for whoever has a partition open for a moment", async (test) => {
    const disk = await aLoopDevice(test);
    await partitioned(disk, "label: dos\nsize=16MiB\n");
    const probing = await open(`${disk.path}p1`, "r");
    setTimeout(() => void probing.close(), 80);
    await forgetPartitions(disk.path);
    assert.deepEqual(await partitions(disk), []);
  });
});
