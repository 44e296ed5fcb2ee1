import assert from "node:assert/strict";
import { mkdir, open } from "node:fs/promises";
import path from "node:path";
import { describe, it } from "node:test";
import { execa } from "execa";
import { admitDevice } from "../../../../agent/disk/admit-device.ts";
import { unmount } from "../../../../agent/disk/unmount.ts";
import type { BlockDevice } from "../../../../proto/disk/block-device.ts";
import { detachLoop } from "../../../../proto/linux/loop-device.ts";
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
    test.after(() => detachLoop(over, `${disk.path}p2`));
    await assert.rejects(admitDevice({ path: disk.path }), { reason: "mounted" });
    const device = await admitDevice({ path: disk.path, purpose: "unmount" });
    await unmount({ device });
    assert.equal((await admitDevice({ path: disk.path })).path, disk.path);
    await unmount({ device: await admitDevice({ path: disk.path, purpose: "unmount" }) });
  });

  it("leaves alone a loop device that was detached meanwhile and whose name is another's now", async (test) => {
    const disk = await aLoopDevice(test, 16);
    const others = await aLoopDevice(test, 16);
    /** The disk with a loop device over it, whose name the other disk has got since then. */
    const withStaleName = async (): Promise<{ device: BlockDevice; over: string }> => {
      for (let tries = 20; ; tries--) {
        const over = (await execa("losetup", ["--find", "--show", disk.path])).stdout.trim();
        test.after(() => detachLoop(over, disk.path));
        const device = await admitDevice({ path: disk.path, purpose: "unmount" });
        // Held open: nobody else gets the name between the two.
        const name = await open(over, "r");
        try {
          await detachLoop(over, disk.path);
        } finally {
          await name.close();
        }
        // Whoever else asks for a loop device at this moment may get the name, and may give it back at any time.
        const { exitCode, stderr } = await execa("losetup", [over, others.path], { reject: false });
        test.after(() => detachLoop(over, others.path));
        if (exitCode === 0) return { device, over };
        assert.ok(tries > 0, stderr);
      }
    };
    const { device, over } = await withStaleName();
    await unmount({ device });
    const { stdout: now } = await execa("losetup", ["--noheadings", "--output", "BACK-FILE", over]);
    assert.equal(now.trim(), others.path);
  });

  it("has nothing to detach where the loop device goes with its mount", async (test) => {
    const disk = await aLoopDevice(test, 16);
    const at = path.join(disk.folder, "mnt");
    await mkdir(at);
    await execa("mkfs.ext4", ["-q", disk.path]);
    await execa("mount", ["-o", "loop", disk.path, at]);
    await unmount({ device: await admitDevice({ path: disk.path, purpose: "unmount" }) });
    assert.equal((await admitDevice({ path: disk.path })).path, disk.path);
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
