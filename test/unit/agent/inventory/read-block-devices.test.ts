import assert from "node:assert/strict";
import { mkdir } from "node:fs/promises";
import path from "node:path";
import { describe, it } from "node:test";
import { execa } from "execa";
import { readBlockDevices } from "../../../../agent/inventory/read-block-devices.ts";
import type { BlockDevice } from "../../../../proto/disk/block-device.ts";
import { findLineage } from "../../../../proto/disk/device-tree.ts";
import { attachLoop } from "../../../../proto/linux/loop-device.ts";
import { requires } from "../../../requirements.ts";
import { aLoopDevice, partitioned } from "../disk/a-loop-device.ts";

async function read(devicePath: string): Promise<BlockDevice> {
  const device = findLineage(await readBlockDevices(), devicePath).at(-1);
  assert.ok(device, `${devicePath} is not listed`);
  return device;
}

const facts = ({ path, type, sizeBytes, partitionNumber, startBytes, filesystemType, label }: BlockDevice) => {
  return { path, type, sizeBytes, partitionNumber, startBytes, filesystemType, label };
};

describe("readBlockDevices", requires("root", "loop devices"), () => {
  for (const [table, prefix] of [
    ["dos", "1234abcd-"],
    ["gpt", ""],
  ] as const) {
    it(`reads a disk with a ${table} table, its partitions and what is on them, without udev`, async (test) => {
      const disk = await aLoopDevice(test);
      const id = table === "dos" ? "\nlabel-id: 0x1234abcd" : "";
      await partitioned(disk, `label: ${table}${id}\nsize=16MiB\nsize=40MiB\n`);
      await execa("mkfs.vfat", ["-n", "BOOT FS", `${disk.path}p1`]);
      await execa("mkfs.ext4", ["-q", "-L", "wurzel ü", `${disk.path}p2`]);
      const device = await read(disk.path);
      assert.equal(device.type, "loop");
      assert.equal(device.sizeBytes, disk.sizeBytes);
      assert.equal(device.partitionTable, table);
      assert.match(device.partitionTableUuid, table === "dos" ? /^1234abcd$/ : /^[0-9a-f-]{36}$/);
      assert.deepEqual(device.children.map(facts), [
        {
          path: `${disk.path}p1`,
          type: "part",
          sizeBytes: 16 << 20,
          partitionNumber: 1,
          startBytes: 1 << 20,
          filesystemType: "vfat",
          label: "BOOT FS",
        },
        {
          path: `${disk.path}p2`,
          type: "part",
          sizeBytes: 40 << 20,
          partitionNumber: 2,
          startBytes: 17 << 20,
          filesystemType: "ext4",
          label: "wurzel ü",
        },
      ]);
      for (const part of device.children) {
        assert.equal(part.partitionTable, "");
        assert.match(part.uuid, /^[0-9A-Fa-f-]{9,36}$/);
        assert.ok(part.partitionUuid.startsWith(prefix) && part.partitionUuid !== "");
      }
    });
  }

  it("reads mounts, blank disks and read-only disks", async (test) => {
    const disk = await aLoopDevice(test, 16);
    assert.equal((await read(disk.path)).filesystemType, "");
    await execa("mkfs.ext4", ["-q", disk.path]);
    const at = path.join(disk.folder, "a b");
    await mkdir(at);
    await execa("mount", [disk.path, at]);
    assert.deepEqual((await read(disk.path)).mountpoints, [at]);
    await execa("umount", [at]);
    await execa("blockdev", ["--setro", disk.path]);
    const locked = await read(disk.path);
    await execa("blockdev", ["--setrw", disk.path]);
    assert.deepEqual([locked.readOnly, locked.mountpoints, locked.filesystemType], [true, [], "ext4"]);
  });

  it("lists a loop device over a disk as being on that disk", async (test) => {
    const disk = await aLoopDevice(test, 16);
    const over = await attachLoop({ file: disk.path, offsetBytes: 1048576 });
    try {
      assert.deepEqual(
        (await read(disk.path)).children.map(({ path }) => path),
        [over.path],
      );
    } finally {
      await over.close();
    }
  });

  it("says when it was cancelled", async () => {
    await assert.rejects(readBlockDevices(AbortSignal.abort()), { reason: "cancelled" });
  });
});
