import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, it } from "node:test";
import fc from "fast-check";
import { type GuardRequest, guardDisk } from "../../../../agent/disk/guard.ts";
import { parseLsblk } from "../../../../agent/inventory/parse-lsblk.ts";
import type { BlockDevice } from "../../../../proto/disk/block-device.ts";
import { Failure, type FailureReason } from "../../../../proto/failure.ts";
import { goldenFile } from "../../../golden.ts";
import { aDevice } from "../../proto/disk/a-device.ts";

const nfsRoot = { source: "10.77.0.1:/srv/rootfs", disk: "" };
const golden = (name: string) => parseLsblk(readFileSync(goldenFile(`inventory/${name}.lsblk.json`), "utf8"));

const partition = (name: string, changes: Partial<BlockDevice> = {}) =>
  aDevice(name, { filesystemType: "ext4", ...changes });
const card = (p1: Partial<BlockDevice> = {}, p2: Partial<BlockDevice> = {}, disk: Partial<BlockDevice> = {}) =>
  aDevice("mmcblk0", { children: [partition("mmcblk0p1", p1), partition("mmcblk0p2", p2)], ...disk });
const stacked = (name: string, type: string, changes: Partial<BlockDevice> = {}) => aDevice(name, { type, ...changes });

interface Case {
  readonly title: string;
  readonly devices?: readonly BlockDevice[];
  readonly request?: Partial<GuardRequest>;
  readonly reason: FailureReason;
  readonly message: RegExp;
}

const refused: readonly Case[] = [
  {
    title: "a relative path",
    request: { path: "mmcblk0" },
    reason: "not-a-disk",
    message: /"mmcblk0" is not an absolute path; give one like \/dev\/mmcblk0/,
  },
  { title: "an empty path", request: { path: "" }, reason: "not-a-disk", message: /not an absolute path/ },
  {
    title: "a path with ..",
    request: { path: "/dev/../dev/mmcblk0", resolvedPath: "/dev/mmcblk0" },
    reason: "not-a-disk",
    message: /contains "\.\."/,
  },
  { title: "a path with .", request: { path: "/dev/./mmcblk0" }, reason: "not-a-disk", message: /contains/ },
  { title: "a path with //", request: { path: "/dev//mmcblk0" }, reason: "not-a-disk", message: /contains/ },
  { title: "a path that ends in /", request: { path: "/dev/mmcblk0/" }, reason: "not-a-disk", message: /contains/ },
  {
    title: "a symbolic link",
    request: { path: "/dev/disk/by-id/mmc-SD16G_0x5ca3e900", resolvedPath: "/dev/mmcblk0" },
    reason: "not-a-disk",
    message: /by-id\/mmc-SD16G_0x5ca3e900 is a symbolic link, which may change; give \/dev\/mmcblk0/,
  },
  {
    title: "a symbolic link with the name of a disk",
    request: { path: "/dev/mmcblk0", resolvedPath: "/dev/sda" },
    reason: "not-a-disk",
    message: /\/dev\/mmcblk0 is a symbolic link.*\/dev\/sda/,
  },
  {
    title: "a device that the node does not have, and names those that it has",
    devices: [card(), aDevice("sda"), aDevice("sdb", { sizeBytes: 0 })],
    request: { path: "/dev/mmcblk1" },
    reason: "not-a-disk",
    message: /no block device \/dev\/mmcblk1; its disks are \/dev\/mmcblk0, \/dev\/sda$/,
  },
  {
    title: "a disk with a protected filesystem on it",
    devices: [card({}, { label: "pallet-keep" })],
    reason: "protected",
    message:
      /^\/dev\/mmcblk0 is protected, and nothing writes to it: the filesystem on \/dev\/mmcblk0p2 has the label "pallet-keep"; choose another disk, or, if it may be erased, give it another label by hand/,
  },
  {
    title: "a disk with a protected partition on it",
    devices: [card({ partitionLabel: "PALLET-KEEP" })],
    reason: "protected",
    message: /the partition \/dev\/mmcblk0p1 has the label "PALLET-KEEP"/,
  },
  {
    title: "a disk that is one protected filesystem",
    devices: [card({}, {}, { label: " Pallet-Keep" })],
    reason: "protected",
    message: /the filesystem on \/dev\/mmcblk0 has the label/,
  },
  {
    title: "what is in an open volume, protected",
    devices: [card({ children: [stacked("dm-0", "crypt", { label: "PALLET-KEEP" })] })],
    reason: "protected",
    message: /the filesystem on \/dev\/dm-0/,
  },
  {
    title: "a partition beside a protected one",
    devices: [card({}, { label: "PALLET-KEEP" })],
    request: { path: "/dev/mmcblk0p1", allowPartition: true },
    reason: "protected",
    message: /^\/dev\/mmcblk0p1 is protected.*the filesystem on \/dev\/mmcblk0p2/,
  },
  { title: "any device where there is none", devices: [], reason: "not-a-disk", message: /has no disks/ },
  {
    title: "a partition",
    request: { path: "/dev/mmcblk0p2" },
    reason: "not-a-disk",
    message: /mmcblk0p2 is partition 2 of \/dev\/mmcblk0, not a whole disk; give \/dev\/mmcblk0/,
  },
  {
    title: "the partition of an array, even where partitions are accepted",
    devices: [aDevice("sda", { children: [stacked("md0", "raid1", { children: [stacked("md0p1", "part")] })] })],
    request: { path: "/dev/md0p1", allowPartition: true },
    reason: "not-a-disk",
    message: /of type "part" on top of \/dev\/md0/,
  },
  ...["rom", "crypt", "lvm", "raid1", "mpath", "dm", ""].map(
    (type): Case => ({
      title: `a device of type "${type}"`,
      devices: [stacked("mmcblk0", type)],
      reason: "not-a-disk",
      message: new RegExp(`of type "${type}", not a disk`),
    }),
  ),
  {
    title: "a volume on a disk",
    devices: [card({}, { children: [stacked("dm-0", "lvm", { path: "/dev/mapper/vg-data" })] })],
    request: { path: "/dev/mapper/vg-data", resolvedPath: "/dev/dm-0" },
    reason: "not-a-disk",
    message: /of type "lvm" on top of \/dev\/mmcblk0p2/,
  },
  {
    title: "a zram device",
    devices: [aDevice("zram0")],
    request: { path: "/dev/zram0" },
    reason: "not-a-disk",
    message: /is memory/,
  },
  {
    title: "a RAM disk",
    devices: [aDevice("ram0")],
    request: { path: "/dev/ram0" },
    reason: "not-a-disk",
    message: /is memory/,
  },
  {
    title: "a boot partition of an eMMC",
    devices: golden("cm4-emmc-with-boot-partitions"),
    request: { path: "/dev/mmcblk0boot0" },
    reason: "not-a-disk",
    message: /hardware partition of an eMMC/,
  },
  {
    title: "a card reader without a card",
    devices: [aDevice("sdb", { sizeBytes: 0 })],
    request: { path: "/dev/sdb" },
    reason: "not-a-disk",
    message: /drive without a medium; insert one/,
  },
  {
    title: "the disk of the running root, told by its disk",
    devices: [card()],
    request: { root: { source: "/dev/root", disk: "/dev/mmcblk0" } },
    reason: "holds-running-root",
    message: /\/dev\/mmcblk0 holds the root filesystem.*boot the node into the agent over the network first/,
  },
  {
    title: "the disk of the running root, told by its partition",
    devices: [card()],
    request: { root: { source: "/dev/mmcblk0p2", disk: "" } },
    reason: "holds-running-root",
    message: /\(on \/dev\/mmcblk0p2\)/,
  },
  {
    title: "the disk of the running root, told by its mountpoint",
    devices: golden("pi3-running-from-sd"),
    request: { root: { source: "/dev/root", disk: "" } },
    reason: "holds-running-root",
    message: /\(on \/dev\/mmcblk0p2\)/,
  },
  {
    title: "a disk without a table that holds the running root",
    devices: [aDevice("mmcblk0", { mountpoints: ["/"] })],
    reason: "holds-running-root",
    message: /\/dev\/mmcblk0 holds the root filesystem that this node is running from;/,
  },
  {
    title: "the disk below an encrypted volume with the running root",
    devices: golden("pi5-luks-and-lvm"),
    request: { path: "/dev/nvme0n1", root: { source: "/dev/mapper/vg-root", disk: "/dev/nvme0n1" } },
    reason: "holds-running-root",
    message: /\(on \/dev\/mapper\/vg-root\)/,
  },
  {
    title: "every member of an array with the running root",
    devices: ["sda", "sdb"].map((name) =>
      aDevice(name, {
        children: [partition(`${name}1`, { children: [stacked("md0", "raid1", { mountpoints: ["/"] })] })],
      }),
    ),
    request: { path: "/dev/sdb", root: { source: "/dev/md0", disk: "/dev/sda" } },
    reason: "holds-running-root",
    message: /\/dev\/sdb holds the root/,
  },
  {
    title: "the partition of the running root",
    devices: [card()],
    request: { path: "/dev/mmcblk0p2", allowPartition: true, root: { source: "/dev/mmcblk0p2", disk: "/dev/mmcblk0" } },
    reason: "holds-running-root",
    message: /\/dev\/mmcblk0p2 holds the root/,
  },
  {
    title: "every partition of the root's disk while it is unknown which of them holds it",
    devices: [card()],
    request: { path: "/dev/mmcblk0p1", allowPartition: true, root: { source: "overlay", disk: "/dev/mmcblk0" } },
    reason: "holds-running-root",
    message: /\/dev\/mmcblk0p1 holds the root/,
  },
  {
    title: "unmounting the running root",
    devices: golden("pi3-running-from-sd"),
    request: { purpose: "unmount", root: { source: "/dev/mmcblk0p2", disk: "/dev/mmcblk0" } },
    reason: "holds-running-root",
    message: /holds the root/,
  },
  {
    title: "a disk that is mounted itself",
    devices: [aDevice("mmcblk0", { mountpoints: ["/mnt"] })],
    reason: "mounted",
    message: /\/dev\/mmcblk0 is mounted: \/dev\/mmcblk0 at \/mnt; unmount \/dev\/mmcblk0 first/,
  },
  {
    title: "a disk with a mounted partition",
    devices: [card({ mountpoints: ["/media/a", "/media/b"] })],
    reason: "mounted",
    message: /\/dev\/mmcblk0p1 at \/media\/a, \/media\/b/,
  },
  {
    title: "a disk with a mounted volume deep in it",
    devices: [
      card(
        {},
        { children: [stacked("dm-0", "crypt", { children: [stacked("dm-1", "lvm", { mountpoints: ["/srv"] })] })] },
      ),
    ],
    reason: "mounted",
    message: /\/dev\/dm-1 at \/srv/,
  },
  {
    title: "a mounted partition where partitions are accepted",
    devices: [card({ mountpoints: ["/boot"] })],
    request: { path: "/dev/mmcblk0p1", allowPartition: true },
    reason: "mounted",
    message: /\/dev\/mmcblk0p1 is mounted/,
  },
  {
    title: "a disk with active swap",
    devices: golden("pi4-swap-partition"),
    request: { path: "/dev/sda" },
    reason: "in-use",
    message: /\/dev\/sda is in use: \/dev\/sda2 is active swap; unmount \/dev\/sda first/,
  },
  {
    title: "a loop device with active swap, as captured",
    devices: golden("captured-loop-swap"),
    request: { path: golden("captured-loop-swap")[0]?.path ?? "" },
    reason: "in-use",
    message: /is active swap/,
  },
  ...["crypt", "lvm", "raid1", "raid0", "mpath", "dm", "disk", "loop"].map(
    (type): Case => ({
      title: `a disk under a holder of type ${type}`,
      devices: [card({}, { children: [stacked("holder", type)] })],
      reason: "in-use",
      message: new RegExp(`\\/dev\\/holder \\(${type}\\) is built on it; stop \\/dev\\/holder first`),
    }),
  ),
  {
    title: "a whole disk in an array",
    devices: [aDevice("sda", { children: [stacked("md0", "raid1")] })],
    request: { path: "/dev/sda" },
    reason: "in-use",
    message: /\/dev\/md0 \(raid1\)/,
  },
  {
    title: "a locked SD card",
    devices: golden("pi3-sd-locked"),
    reason: "read-only",
    message: /\/dev\/mmcblk0 is read-only; if it is an SD card, slide the lock switch/,
  },
  {
    title: "a partition of a read-only disk",
    devices: [card({}, {}, { readOnly: true })],
    request: { path: "/dev/mmcblk0p1", allowPartition: true },
    reason: "read-only",
    message: /\/dev\/mmcblk0p1 is read-only/,
  },
  {
    title: "a disk that is one byte too small, with both sizes",
    request: { minBytes: 16e9 + 1 },
    reason: "too-small",
    message: /\/dev\/mmcblk0 has 16000000000 bytes, but 16000000001 are needed; use a larger disk or a smaller image/,
  },
];

const passes: readonly { title: string; devices?: readonly BlockDevice[]; request?: Partial<GuardRequest> }[] = [
  { title: "a card with an old system on it", devices: golden("pi4-netbooted-without-udev") },
  { title: "a blank card", devices: golden("pi4-netbooted-with-blank-sd-and-usb-disk") },
  { title: "a disk of just the size", request: { minBytes: 16e9 } },
  { title: "a path that is its own resolution", request: { resolvedPath: "/dev/mmcblk0" } },
  {
    title: "a loop device",
    devices: golden("captured-loop-dos"),
    request: { path: golden("captured-loop-dos")[0]?.path ?? "" },
  },
  {
    title: "a partition where partitions are accepted",
    request: { path: "/dev/mmcblk0p2", allowPartition: true },
  },
  {
    title: "a free partition of the disk that holds the running root in another",
    request: { path: "/dev/mmcblk0p1", allowPartition: true, root: { source: "/dev/mmcblk0p2", disk: "/dev/mmcblk0" } },
  },
  {
    title: "a disk beside the one with the running root",
    devices: [card({}, { mountpoints: ["/"] }), aDevice("sda")],
    request: { path: "/dev/sda", root: { source: "/dev/mmcblk0p2", disk: "/dev/mmcblk0" } },
  },
  {
    title: "a disk with the remains of LVM, RAID and LUKS that nobody has started",
    devices: [card({ filesystemType: "LVM2_member" }, { filesystemType: "crypto_LUKS" })],
  },
  {
    title: "a disk beside a protected one, and labels that are only like it",
    devices: [card({ label: "PALLET-KEEP-2" }, { partitionLabel: "PALLET" }), aDevice("sda", { label: "PALLET-KEEP" })],
  },
  {
    title: "a protected disk for unmounting",
    devices: [card({ label: "PALLET-KEEP" })],
    request: { purpose: "unmount" },
  },
  {
    title: "a mounted device, swap and a locked card for unmounting",
    devices: [card({ mountpoints: ["/mnt"] }, { mountpoints: ["[SWAP]"] }, { readOnly: true })],
    request: { purpose: "unmount" },
  },
];

describe("guardDisk", () => {
  for (const { title, devices = [card()], request, reason, message } of refused) {
    it(`refuses ${title}`, () => {
      assert.throws(
        () => guardDisk(devices, { path: "/dev/mmcblk0", root: nfsRoot, ...request }),
        (error) => {
          assert.ok(error instanceof Failure);
          assert.match(error.message, message);
          assert.equal(error.reason, reason);
          return true;
        },
      );
    });
  }

  for (const { title, devices = [card()], request } of passes) {
    it(`lets ${title} pass`, () => {
      const whole = { path: "/dev/mmcblk0", root: nfsRoot, ...request };
      assert.equal(guardDisk(devices, whole).path, whole.path);
    });
  }

  it("tells both sizes as evidence when a disk is too small", () => {
    assert.throws(() => guardDisk([card()], { path: "/dev/mmcblk0", root: nfsRoot, minBytes: 32e9 }), {
      evidence: { expected: "at least 32000000000 bytes", found: "16000000000 bytes" },
    });
  });

  it("never lets a disk pass that has a mountpoint, swap or the root anywhere in it", () => {
    const treeOf = (depth: number): fc.Arbitrary<BlockDevice> =>
      fc
        .record({
          type: fc.constantFrom("part", "crypt", "lvm", "raid1", "disk", "loop"),
          mountpoints: fc.constantFrom([], [], ["/"], ["/srv"], ["[SWAP]"]),
          children: depth === 0 ? fc.constant([]) : fc.array(treeOf(depth - 1), { maxLength: 2 }),
        })
        .map((changes) => aDevice("sdx9", changes));
    const used = (device: BlockDevice): boolean => device.mountpoints.length > 0 || device.children.some(used);
    fc.assert(
      fc.property(fc.array(treeOf(3), { maxLength: 3 }), (children) => {
        const disk = aDevice("mmcblk0", { children });
        fc.pre(used(disk));
        assert.throws(() => guardDisk([disk], { path: disk.path, root: nfsRoot }), Failure);
      }),
    );
  });
});
