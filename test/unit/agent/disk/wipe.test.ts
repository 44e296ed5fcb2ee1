import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { describe, it } from "node:test";
import { execa } from "execa";
import { admitDevice } from "../../../../agent/disk/admit-device.ts";
import { isUnsupported, wipe } from "../../../../agent/disk/wipe.ts";
import { requires } from "../../../requirements.ts";
import { aLoopDevice, partitioned } from "./a-loop-device.ts";

describe("wipe", requires("root", "loop devices"), () => {
  for (const method of ["discard", "signatures"] as const) {
    it(`leaves no table and no filesystem by ${method}`, async (test) => {
      const disk = await aLoopDevice(test);
      const script = "label: gpt\nsize=16MiB\nsize=16MiB\n";
      await partitioned(disk, script);
      await execa("mkfs.vfat", [`${disk.path}p1`]);
      await execa("mkfs.ext4", ["-q", `${disk.path}p2`]);
      await wipe({ device: await admitDevice({ path: disk.path }), method });
      const blank = await admitDevice({ path: disk.path });
      assert.deepEqual([blank.partitionTable, blank.filesystemType, blank.children], ["", "", []]);
      // The same partitions again: nothing may come back to life in them.
      await partitioned(disk, script);
      const { children } = await admitDevice({ path: disk.path });
      assert.deepEqual(
        children.map(({ filesystemType }) => filesystemType),
        ["", ""],
      );
    });
  }

  it("discards all of the disk", async (test) => {
    const disk = await aLoopDevice(test, 16);
    await execa("dd", ["if=/dev/urandom", `of=${disk.path}`, "bs=1M", "count=16", "oflag=direct"]);
    await wipe({ device: await admitDevice({ path: disk.path }), method: "discard" });
    assert.ok((await readFile(disk.path)).every((byte) => byte === 0));
  });

  it("can be cancelled", async (test) => {
    const disk = await aLoopDevice(test, 16);
    const device = await admitDevice({ path: disk.path });
    const signal = AbortSignal.abort();
    for (const method of ["discard", "signatures"] as const)
      await assert.rejects(wipe({ device, method, signal }), { reason: "cancelled" });
  });

  it("knows the words of a disk that cannot discard", () => {
    assert.ok(isUnsupported("blkdiscard: /dev/sda: BLKDISCARD ioctl failed: Operation not supported"));
    assert.ok(!isUnsupported("blkdiscard: /dev/sda: BLKDISCARD ioctl failed: Input/output error"));
  });
});
