import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { execa } from "execa";
import { admitDevice } from "../../../../agent/disk/admit-device.ts";
import { makeFilesystem } from "../../../../agent/disk/make-filesystem.ts";
import { requires } from "../../../requirements.ts";
import { aLoopDevice, partitioned } from "./a-loop-device.ts";

describe("makeFilesystem", requires("root", "loop devices"), () => {
  for (const type of ["vfat", "ext4"] as const) {
    it(`makes ${type} on a partition, with its label`, async (test) => {
      const disk = await aLoopDevice(test);
      await partitioned(disk, "label: gpt\nsize=32MiB\n");
      const device = await admitDevice({ path: `${disk.path}p1`, allowPartition: true });
      await makeFilesystem({ device, type, label: "PALLET 1" });
      const made = await admitDevice({ path: `${disk.path}p1`, allowPartition: true });
      assert.deepEqual([made.filesystemType, made.label], [type, "PALLET 1"]);
      assert.equal((await admitDevice({ path: disk.path })).partitionTable, "gpt");
    });

    it(`makes ${type} without a label on a whole disk, of whose partitions nothing stays`, async (test) => {
      const disk = await aLoopDevice(test);
      await partitioned(disk, "label: gpt\nsize=32MiB\n");
      await makeFilesystem({ device: await admitDevice({ path: disk.path }), type, label: "" });
      const made = await admitDevice({ path: disk.path });
      assert.deepEqual([made.filesystemType, made.label, made.partitionTable, made.children], [type, "", "", []]);
      const { stdout } = await execa("wipefs", ["--noheadings", "--output", "TYPE", disk.path]);
      assert.deepEqual([...new Set(stdout.split("\n"))], [type], "an older signature is left");
    });
  }

  it("changes nothing for a label that does not suit", async (test) => {
    const disk = await aLoopDevice(test, 16);
    await execa("mkfs.ext4", ["-q", disk.path]);
    const device = await admitDevice({ path: disk.path });
    await assert.rejects(makeFilesystem({ device, type: "vfat", label: "much too long" }), { reason: "invalid" });
    assert.equal((await admitDevice({ path: disk.path })).filesystemType, "ext4");
  });

  it("fails with the tool's own words", async (test) => {
    const disk = await aLoopDevice(test, 16);
    const device = await admitDevice({ path: disk.path });
    await execa("blockdev", ["--setro", disk.path]);
    const making = makeFilesystem({ device, type: "ext4", label: "" });
    await assert.rejects(making, {
      reason: "tool-failed",
      message: new RegExp(`${disk.path}: .*(failed|ermitted|only)`),
    });
    await execa("blockdev", ["--setrw", disk.path]);
  });

  it("can be cancelled", async (test) => {
    const disk = await aLoopDevice(test, 16);
    const device = await admitDevice({ path: disk.path });
    const making = makeFilesystem({ device, type: "ext4", label: "", signal: AbortSignal.abort() });
    await assert.rejects(making, { reason: "cancelled" });
  });
});
