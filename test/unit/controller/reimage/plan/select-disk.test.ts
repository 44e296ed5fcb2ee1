import assert from "node:assert/strict";
import { test } from "node:test";
import { identityOf } from "../../../../../controller/reimage/plan/disk-identity.ts";
import { type DiskCriteria, selectDisk } from "../../../../../controller/reimage/plan/select-disk.ts";
import type { BlockDevice } from "../../../../../proto/disk/block-device.ts";
import { Failure } from "../../../../../proto/failure.ts";
import { disk } from "../fakes/fake-disk.ts";

const GiB = 2 ** 30;
const nfsRoot = { source: "10.0.0.1:/srv/rootfs", disk: "" };
const card = disk();
const usb = disk({ path: "/dev/sda", sizeBytes: 500 * GiB });
const nvme = disk({ path: "/dev/nvme0n1", transport: "nvme", sizeBytes: 250 * GiB });
const root = disk({
  path: "/dev/sdb",
  children: [disk({ path: "/dev/sdb1", type: "part", partitionNumber: 1, mountpoints: ["/"] })],
});
const mountedCard = disk({
  children: [disk({ path: "/dev/mmcblk0p1", type: "part", partitionNumber: 1, mountpoints: ["/boot/firmware"] })],
});

const table: readonly [
  title: string,
  devices: readonly BlockDevice[],
  criteria: Partial<DiskCriteria>,
  expected: string,
][] = [
  ["the only disk", [usb], {}, "/dev/sda"],
  ["the only card", [card], {}, "/dev/mmcblk0"],
  ["the one card among other disks", [usb, nvme, card], {}, "/dev/mmcblk0"],
  ["the named disk beside a card", [usb, card], { path: "/dev/sda" }, "/dev/sda"],
  [
    "the only one that fits among disks that are no cards",
    [disk({ path: "/dev/sdc", sizeBytes: GiB / 2 }), usb],
    {},
    "/dev/sda",
  ],
  ["the card by rule, beside others", [usb, nvme, card], { path: "sd" }, "/dev/mmcblk0"],
  ["the NVMe by rule, beside a card", [usb, nvme, card], { path: "nvme" }, "/dev/nvme0n1"],
  ["the one of that serial", [usb, disk({ path: "/dev/sdc", serial: "A1" }), card], { path: "serial=A1" }, "/dev/sdc"],
  ["the one that is large enough", [usb, nvme, card], { path: "size>300GB" }, "/dev/sda"],
  ["the one between two sizes", [usb, nvme, card], { path: "size>100GB, size<300GB" }, "/dev/nvme0n1"],
  ["no choice where a rule leaves two", [usb, nvme, card], { path: "size>100GB" }, "no-disk-chosen"],
  ["nothing where a rule leaves none, though another would fit", [usb], { path: "sd" }, "no-disk-chosen"],
  [
    "a disk by rule that is too small never leads to the next",
    [disk({ sizeBytes: GiB / 2 }), usb],
    { path: "sd" },
    "too-small",
  ],
  [
    "the running root is not erased by a rule either",
    [root],
    { path: "size>1MB", root: { source: "/dev/sdb1", disk: "/dev/sdb" } },
    "holds-running-root",
  ],
  ["what is no rule is no path either", [card], { path: "mmcblk0" }, "not-a-disk"],
  ["no choice between two that fit", [usb, nvme], {}, "no-disk-chosen"],
  ["no choice between two cards", [card, disk({ path: "/dev/mmcblk1" })], {}, "no-disk-chosen"],
  ["no disk at all", [], {}, "no-disk-chosen"],
  [
    "nothing but compressed RAM and an empty reader",
    [disk({ path: "/dev/zram0", transport: "" }), disk({ path: "/dev/sda", sizeBytes: 0 })],
    {},
    "no-disk-chosen",
  ],
  ["a card that is too small never leads to the next disk", [disk({ sizeBytes: GiB / 2 }), usb], {}, "too-small"],
  ["a card that is locked never leads to the next disk", [disk({ readOnly: true }), usb], {}, "read-only"],
  ["a mounted card", [mountedCard, usb], {}, "mounted"],
  ["a mounted card that will be left by a reboot", [mountedCard], { rebootsFirst: true }, "/dev/mmcblk0"],
  [
    "a disk with swap",
    [disk({ children: [disk({ path: "/dev/mmcblk0p2", type: "part", mountpoints: ["[SWAP]"] })] })],
    {},
    "in-use",
  ],
  [
    "the disk that was chosen before, and of which the kernel tells less now",
    [disk({ path: "/dev/sda", serial: "A" }), disk({ path: "/dev/sdb", serial: "B" })],
    { path: "/dev/sda", identity: { ...identityOf(disk()), model: "Stick" } },
    "/dev/sda",
  ],
  [
    "another disk that got the name of the one that was chosen before",
    [disk({ path: "/dev/sda", serial: "B" }), disk({ path: "/dev/sdb", serial: "A" })],
    { path: "/dev/sda", identity: identityOf(disk({ serial: "A" })) },
    "no-disk-chosen",
  ],
  [
    "another disk of the same kind and another size",
    [disk({ path: "/dev/sda", sizeBytes: 64 * GiB })],
    { path: "/dev/sda", identity: identityOf(disk()) },
    "no-disk-chosen",
  ],
  ["a chosen disk that is gone", [usb], { path: "/dev/sdb", identity: identityOf(disk()) }, "no-disk-chosen"],
  [
    "the disk of the running root when there is another",
    [root, usb],
    { root: { source: "/dev/sdb1", disk: "/dev/sdb" } },
    "/dev/sda",
  ],
  [
    "only the disk of the running root",
    [root],
    { root: { source: "/dev/sdb1", disk: "/dev/sdb" } },
    "holds-running-root",
  ],
  [
    "the disk of the running root by name",
    [root, usb],
    { root: { source: "/dev/sdb1", disk: "/dev/sdb" }, path: "/dev/sdb" },
    "holds-running-root",
  ],
  [
    "eMMC with its boot areas",
    [card, disk({ path: "/dev/mmcblk0boot0", sizeBytes: 4 * 2 ** 20 }), disk({ path: "/dev/mmcblk0rpmb" })],
    {},
    "/dev/mmcblk0",
  ],
  [
    "a loop device when there is no real disk",
    [disk({ path: "/dev/loop7", type: "loop", transport: "" })],
    {},
    "/dev/loop7",
  ],
  [
    "no loop device beside a real disk",
    [disk({ path: "/dev/loop7", type: "loop", transport: "" }), usb],
    {},
    "/dev/sda",
  ],
  ["a card that is protected never leads to the next disk", [disk({ label: "PALLET-KEEP" }), usb], {}, "protected"],
  [
    "the disk that is not protected of two that fit",
    [disk({ path: "/dev/sdc", label: "PALLET-KEEP" }), usb],
    {},
    "/dev/sda",
  ],
  ["the card beside a protected disk", [disk({ path: "/dev/sdc", label: "PALLET-KEEP" }), card], {}, "/dev/mmcblk0"],
  ["a protected disk by name", [disk({ label: "PALLET-KEEP" })], { path: "/dev/mmcblk0" }, "protected"],
  ["a protected disk by rule", [disk({ label: "PALLET-KEEP" }), usb], { path: "sd" }, "protected"],
  [
    "a protected disk whose node reboots first",
    [disk({ label: "PALLET-KEEP" })],
    { path: "/dev/mmcblk0", rebootsFirst: true },
    "protected",
  ],
  [
    "a disk with a label that the configuration protects, whatever its capitals",
    [disk({ children: [disk({ path: "/dev/mmcblk0p1", type: "part", label: "Photos" })] })],
    { protectedDisks: { labels: [" PHOTOS"], serials: [] } },
    "protected",
  ],
  [
    "a disk whose serial number the configuration protects, named by it",
    [disk({ serial: "A1" }), usb],
    { path: "serial=A1", protectedDisks: { labels: [], serials: ["a1"] } },
    "protected",
  ],
  [
    "a disk without serial number and labels, whatever is protected",
    [disk({ serial: "" })],
    { protectedDisks: { labels: ["Photos"], serials: ["A1"] } },
    "/dev/mmcblk0",
  ],
  ["a named disk that is absent", [card], { path: "/dev/sdz" }, "not-a-disk"],
  ["a named partition", [mountedCard], { path: "/dev/mmcblk0p1" }, "not-a-disk"],
  ["a named disk that is too small", [card], { path: "/dev/mmcblk0", minBytes: 64 * GiB }, "too-small"],
  ["a DVD drive is no disk", [disk({ path: "/dev/sr0", type: "rom" })], {}, "no-disk-chosen"],
];

for (const [title, devices, criteria, expected] of table) {
  test(`chooses ${title}: ${expected}`, () => {
    const chosen = selectDisk(devices, { minBytes: GiB, root: nfsRoot, ...criteria });
    assert.equal(chosen instanceof Failure ? chosen.reason : chosen.path, expected);
  });
}

test("a refusal to choose names every candidate and what is wrong with it", () => {
  const chosen = selectDisk([usb, nvme, disk({ path: "/dev/sdd", readOnly: true, model: "Ultra Fit" })], {
    minBytes: GiB,
    root: nfsRoot,
  });
  assert.ok(chosen instanceof Failure);
  assert.equal(
    chosen.message,
    "the node has several disks; name the one to erase with --disk: " +
      "/dev/sda 500 GiB usb; /dev/nvme0n1 250 GiB nvme; /dev/sdd 32 GiB usb Ultra Fit [read-only]",
  );
});

test("a disk that is too small is refused with both sizes as evidence", () => {
  const chosen = selectDisk([disk({ sizeBytes: GiB / 2 })], { minBytes: GiB, root: nfsRoot });
  assert.ok(chosen instanceof Failure);
  assert.equal(
    chosen.message,
    `/dev/mmcblk0 has ${GiB / 2} bytes, but ${GiB} are needed; use a larger disk or a smaller image ` +
      "(the disk: 512 MiB, the image: 1 GiB)",
  );
  assert.deepEqual(chosen.evidence, { expected: `at least ${GiB} bytes`, found: `${GiB / 2} bytes` });
});
