import assert from "node:assert/strict";
import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { describe, it, type TestContext } from "node:test";
import { readRootDevice } from "../../../../agent/inventory/read-root-device.ts";

/**
 * Block devices of a sysfs: folder below /sys/devices → device number, and files or links (with "->") in the folder.
 */
type Devices = Record<string, { number: string; files?: Record<string, string> }>;

async function sources(test: TestContext, root: string, devices: Devices) {
  const folder = await mkdtemp(path.join(os.tmpdir(), "pallet-sysfs-"));
  test.after(() => rm(folder, { recursive: true }));
  const sysfs = path.join(folder, "sys");
  for (const links of ["dev/block", "class/block"]) await mkdir(path.join(sysfs, links), { recursive: true });
  for (const [device, { number, files = {} }] of Object.entries(devices)) {
    const at = path.join(sysfs, "devices", device);
    await mkdir(at, { recursive: true });
    await symlink(at, path.join(sysfs, "dev/block", number));
    await symlink(at, path.join(sysfs, "class/block", path.basename(device)));
    for (const [name, content] of Object.entries(files)) {
      await mkdir(path.dirname(path.join(at, name)), { recursive: true });
      if (content.startsWith("->")) await symlink(path.join(sysfs, "devices", content.slice(2)), path.join(at, name));
      else await writeFile(path.join(at, name), content);
    }
  }
  const mountinfo = path.join(folder, "mountinfo");
  await writeFile(mountinfo, `26 1 ${root} rw\n`);
  return { mountinfo, sysfs };
}

const card: Devices = {
  mmcblk0: { number: "179:0" },
  "mmcblk0/mmcblk0p2": { number: "179:2", files: { partition: "2\n" } },
};

describe("readRootDevice", () => {
  const cases: readonly [string, string, Devices, object][] = [
    [
      "a partition of a card",
      "179:2 / / rw - ext4 /dev/mmcblk0p2",
      card,
      { source: "/dev/mmcblk0p2", filesystemType: "ext4", disk: "/dev/mmcblk0" },
    ],
    [
      "/dev/root, which is no device, by its number",
      "179:2 / / rw - ext4 /dev/root",
      card,
      { source: "/dev/mmcblk0p2", filesystemType: "ext4", disk: "/dev/mmcblk0" },
    ],
    [
      "a disk without partitions",
      "254:0 / / rw - ext4 /dev/vda",
      { vda: { number: "254:0" } },
      { source: "/dev/vda", filesystemType: "ext4", disk: "/dev/vda" },
    ],
    [
      "a volume in an encrypted partition",
      "254:1 / / rw - ext4 /dev/mapper/vg-root",
      {
        ...card,
        "dm-0": { number: "254:0", files: { "slaves/mmcblk0p2": "->mmcblk0/mmcblk0p2" } },
        "dm-1": { number: "254:1", files: { "slaves/dm-0": "->dm-0" } },
      },
      { source: "/dev/mapper/vg-root", filesystemType: "ext4", disk: "/dev/mmcblk0" },
    ],
    [
      "a loop device at an offset of a card",
      "7:9 / / rw - ext4 /dev/loop9",
      { ...card, loop9: { number: "7:9", files: { "loop/backing_file": "/dev/mmcblk0\n" } } },
      { source: "/dev/loop9", filesystemType: "ext4", disk: "/dev/mmcblk0" },
    ],
    [
      "a loop device over a file",
      "7:9 / / rw - ext4 /dev/loop9",
      { loop9: { number: "7:9", files: { "loop/backing_file": "/srv/root.img\n" } } },
      { source: "/dev/loop9", filesystemType: "ext4", disk: "/dev/loop9" },
    ],
    [
      "NFS, which is on no disk",
      "0:18 / / rw - nfs 10.77.0.1:/srv/rootfs",
      card,
      { source: "10.77.0.1:/srv/rootfs", filesystemType: "nfs", disk: "" },
    ],
    [
      "an overlay, whose disk nobody tells",
      "0:25 / / rw - overlay overlay",
      card,
      { source: "overlay", filesystemType: "overlay", disk: "" },
    ],
  ];
  for (const [title, root, devices, expected] of cases) {
    it(`finds ${title}`, async (test) => {
      assert.deepEqual(await readRootDevice(await sources(test, root, devices)), expected);
    });
  }

  it("fails rather than call a disk free when sysfs does not know the root's device", async (test) => {
    await assert.rejects(readRootDevice(await sources(test, "179:2 / / rw - ext4 /dev/mmcblk0p2", {})), {
      reason: "internal",
      message: /\/dev\/mmcblk0p2 is block device 179:2, which .*\/sys\/dev\/block does not list; mount sysfs/,
    });
  });

  it("fails when there is no root", async (test) => {
    await assert.rejects(readRootDevice(await sources(test, "179:2 / /mnt rw - ext4 /dev/mmcblk0p2", {})), {
      message: /lists no mount at \//,
    });
  });
});
