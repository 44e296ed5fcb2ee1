import assert from "node:assert/strict";
import { mkdir, open } from "node:fs/promises";
import path from "node:path";
import { describe, it } from "node:test";
import { execa } from "execa";
import { admitDevice } from "../../../../agent/disk/admit-device.ts";
import { unmount } from "../../../../agent/disk/unmount.ts";
import { requires } from "../../../requirements.ts";
import { aLoopDevice, partitioned } from "./a-loop-device.ts";

describe("unmount", requires("root", "loop devices"), () => {
  it("frees a disk with mounts within mounts and a loop device over it", async (test) => {
    const disk = await aLoopDevice(test);
    await partitioned(disk, "label: dos\nsize=16MiB\nsize=16MiB\n");
    const outer = path.join(disk.folder, "outer fs");
    await mkdir(outer);
    for (const [number, at] of [
      [1, outer],
      [2, path.join(outer, "inner")],
    ] as const) {
      await execa("mkfs.ext4", ["-q", `${disk.path}p${number}`]);
      await mkdir(at, { recursive: true });
      await execa("mount", [`${disk.path}p${number}`, at]);
    }
    const { stdout: over } = await execa("losetup", ["--find", "--show", `${disk.path}p2`]);
    test.after(() => execa("losetup", ["--detach", over], { reject: false }));
    await assert.rejects(admitDevice({ path: disk.path }), { reason: "mounted" });
    const device = await admitDevice({ path: disk.path, purpose: "unmount" });
    await unmount({ device });
    assert.equal((await admitDevice({ path: disk.path })).path, disk.path);
    await unmount({ device: await admitDevice({ path: disk.path, purpose: "unmount" }) });
  });

  it("says which mount is still in use", async (test) => {
    const disk = await aLoopDevice(test, 16);
    const at = path.join(disk.folder, "mnt");
    await mkdir(at);
    await execa("mkfs.ext4", ["-q", disk.path]);
    await execa("mount", [disk.path, at]);
    const user = await open(path.join(at, "file"), "w");
    try {
      await assert.rejects(unmount({ device: await admitDevice({ path: disk.path, purpose: "unmount" }) }), {
        reason: "tool-failed",
        message: new RegExp(`cannot unmount ${at} of ${disk.path}: .*busy`),
      });
    } finally {
      await user.close();
    }
  });
});
