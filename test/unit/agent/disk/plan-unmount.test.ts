import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { planUnmount } from "../../../../agent/disk/plan-unmount.ts";
import type { BlockDevice } from "../../../../proto/disk/block-device.ts";
import { aDevice } from "../../proto/disk/a-device.ts";

const disk = (...children: BlockDevice[]) => aDevice("sda", { children });

describe("planUnmount", () => {
  it("does nothing for a device that nobody uses", () => assert.deepEqual(planUnmount(disk(aDevice("sda1"))), []));

  it("switches swap off first, unmounts the deepest mount first, and detaches loop devices last, the upper one first", () => {
    const upper = aDevice("loop2", { type: "loop", mountpoints: ["/mnt"] });
    const lower = aDevice("loop1", { type: "loop", children: [upper] });
    const device = disk(
      aDevice("sda1", { mountpoints: ["/srv", "/srv/a/b"] }),
      aDevice("sda2", { mountpoints: ["/srv/a"], children: [lower] }),
      aDevice("sda3", { mountpoints: ["[SWAP]"] }),
    );
    assert.deepEqual(planUnmount(device), [
      { kind: "swapoff", path: "/dev/sda3" },
      { kind: "umount", mountpoint: "/srv/a/b" },
      { kind: "umount", mountpoint: "/srv/a" },
      { kind: "umount", mountpoint: "/srv" },
      { kind: "umount", mountpoint: "/mnt" },
      { kind: "detach", path: "/dev/loop2", over: "/dev/loop1" },
      { kind: "detach", path: "/dev/loop1", over: "/dev/sda2" },
    ]);
  });

  it("names a volume once that stands below two members of an array", () => {
    const loop = aDevice("loop4", { type: "loop" });
    const array = aDevice("md0", { type: "raid1", mountpoints: ["/srv"], children: [loop] });
    const device = disk(aDevice("sda1", { children: [array] }), aDevice("sda2", { children: [array] }));
    assert.deepEqual(planUnmount(device), [
      { kind: "umount", mountpoint: "/srv" },
      { kind: "detach", path: "/dev/loop4", over: "/dev/md0" },
    ]);
  });

  for (const mountpoint of ["/", "/proc", "/sys", "/dev", "/run", "/usr", "/etc", "/var"]) {
    it(`refuses to unmount ${mountpoint}`, () => {
      assert.throws(() => planUnmount(disk(aDevice("sda1", { mountpoints: [mountpoint] }))), {
        reason: "holds-running-root",
      });
    });
  }
});
