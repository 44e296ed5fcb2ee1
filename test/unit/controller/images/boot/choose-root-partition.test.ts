import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  chooseRootPartition,
  type PartitionContent,
} from "../../../../../controller/images/boot/choose-root-partition.ts";
import { Failure } from "../../../../../proto/failure.ts";

const MiB = 1024 * 1024;

function partition(number: number, filesystemType: string, more: Partial<PartitionContent> = {}): PartitionContent {
  const partitionUuid = `4e639091-0${number}`;
  return { number, lengthBytes: 64 * MiB, partitionUuid, filesystemType, label: "", uuid: "", ...more };
}

const root = { holds: { init: true, configuration: true } };
const data = { holds: { init: false, configuration: false } };

const chosen: readonly (readonly [string, readonly PartitionContent[], string | undefined, number])[] = [
  ["Raspberry Pi OS", [partition(1, "vfat"), partition(2, "ext4", root)], "PARTUUID=4e639091-02", 2],
  ["root first", [partition(1, "ext4", root), partition(2, "vfat")], undefined, 1],
  [
    "NOOBS: recovery, settings, boot, root",
    [partition(1, "vfat"), partition(5, "ext4", data), partition(6, "vfat"), partition(7, "ext4", root)],
    undefined,
    7,
  ],
  ["a data partition behind the root", [partition(2, "ext4", root), partition(3, "ext4", data)], undefined, 2],
  [
    "an unreadable data partition",
    [partition(2, "ext4", root), partition(3, "ext4", { unreadable: "x" })],
    undefined,
    2,
  ],
  ["a btrfs root, which is not looked into", [partition(1, "vfat"), partition(2, "btrfs")], undefined, 2],
  ["an ext4 root beside a btrfs partition", [partition(1, "btrfs"), partition(2, "ext4", root)], undefined, 2],
  [
    "a btrfs root that the word names, beside an ext4 one",
    [partition(2, "ext4", root), partition(3, "btrfs")],
    "/dev/mmcblk0p3",
    3,
  ],
  [
    "a separate ext4 /boot and an xfs root",
    [partition(1, "vfat"), partition(2, "ext4", data), partition(3, "xfs")],
    "UUID=x",
    3,
  ],
  ["an f2fs root", [partition(1, "vfat"), partition(2, "f2fs")], "/dev/mmcblk0p2", 2],
  [
    "two btrfs, one by a link of udev",
    [partition(2, "btrfs", { uuid: "aa" }), partition(3, "btrfs", { uuid: "bb" })],
    "/dev/disk/by-uuid/bb",
    3,
  ],
  ["A and B, A by PARTUUID", [partition(2, "ext4", root), partition(3, "ext4", root)], "PARTUUID=4E639091-02", 2],
  ["A and B, B by device", [partition(2, "ext4", root), partition(3, "ext4", root)], "/dev/mmcblk0p3", 3],
  [
    "A and B, B by label",
    [partition(2, "ext4", { ...root, label: "a" }), partition(3, "ext4", { ...root, label: "b" })],
    "LABEL=b",
    3,
  ],
  [
    "A and B, A by UUID",
    [partition(2, "ext4", { ...root, uuid: "aa-bb" }), partition(3, "ext4", { ...root, uuid: "cc" })],
    "UUID=AA-BB",
    2,
  ],
];

const refused: readonly (readonly [string, readonly PartitionContent[], string | undefined, RegExp])[] = [
  [
    "A and B without a word",
    [partition(2, "ext4", root), partition(3, "ext4", root)],
    undefined,
    /2 and 3 .* names none/,
  ],
  [
    "A and B and a word that means neither",
    [partition(2, "ext4", root), partition(3, "ext4", root)],
    "/dev/mmcblk0p1",
    /names "\/dev\/mmcblk0p1"/,
  ],
  [
    "no Linux at all",
    [partition(1, "vfat", { label: "EFI" }), partition(2, "ntfs")],
    "PARTUUID=4e639091-02",
    /the image has no partition with a Linux root filesystem; found:\n {2}1: 64 MiB vfat "EFI"\n {2}2: 64 MiB ntfs$/,
  ],
  [
    "an encrypted root",
    [partition(1, "vfat"), partition(2, "crypto_LUKS")],
    undefined,
    /2: 64 MiB, encrypted \(LUKS\)/,
  ],
  [
    "a volume group",
    [partition(1, "LVM2_member")],
    undefined,
    /A root in a volume group \(LVM\) is not supported: use/,
  ],
  [
    "Home Assistant OS even if one could be its root",
    [partition(1, "vfat", { label: "hassos-boot" }), partition(3, "squashfs")],
    undefined,
    /This is Home Assistant OS/,
  ],
  ["an empty ext4", [partition(1, "ext4", data)], undefined, /neither an init program nor configuration/],
  [
    "a damaged root",
    [partition(2, "ext4", { unreadable: "Bad magic\u001b[2J" })],
    undefined,
    /unreadable: Bad magic\?\[2J/,
  ],
  ["nothing known", [partition(1, "")], undefined, /1: 64 MiB, unknown content/],
];

describe("the choice of the root partition", () => {
  it("says of a system that is kernel and initrd only that it runs from RAM", () => {
    const choose = () => chooseRootPartition([partition(1, "vfat")], undefined, ["kernel8.img", "initramfs8"]);
    assert.throws(choose, /All of its system is kernel and initrd on the FAT partition/);
  });

  for (const [title, contents, word, number] of chosen) {
    it(`finds it by content: ${title}`, () => assert.equal(chooseRootPartition(contents, word), number));
  }
  for (const [title, contents, word, message] of refused) {
    it(`refuses and lists what there is: ${title}`, () => {
      assert.throws(
        () => chooseRootPartition(contents, word),
        (error) => error instanceof Failure && error.reason === "unsupported" && message.test(error.message),
      );
    });
  }
});
