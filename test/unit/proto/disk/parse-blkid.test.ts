import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { parseBlkid } from "../../../../proto/disk/parse-blkid.ts";

const nothing = {
  partitionTable: "",
  partitionTableUuid: "",
  partitionUuid: "",
  partitionLabel: "",
  filesystemType: "",
  label: "",
  uuid: "",
};

// Outputs of blkid 2.38.1, captured.
const captured = {
  disk: "DEVNAME=/dev/loop0\nPTUUID=458d6259-0fb9-1440-bffd-114b7b6d4fb2\nPTTYPE=gpt\n",
  vfat: `DEVNAME=/dev/loop0p1
SEC_TYPE=msdos
LABEL_FATBOOT=BOOTFS
LABEL=BOOTFS
UUID=9C8B-258E
VERSION=FAT16
BLOCK_SIZE=512
TYPE=vfat
USAGE=filesystem
PART_ENTRY_SCHEME=dos
PART_ENTRY_UUID=ed55df7d-01
PART_ENTRY_TYPE=0x83
PART_ENTRY_NUMBER=1
PART_ENTRY_OFFSET=2048
PART_ENTRY_SIZE=32768
PART_ENTRY_DISK=7:0
`,
  named: `DEVNAME=/dev/loop0p1
PART_ENTRY_SCHEME=gpt
PART_ENTRY_NAME=PALLET-KEEP\\ M-CM-\\<
PART_ENTRY_UUID=6a08948d-510e-d947-ae01-c6b586180a8c
PART_ENTRY_TYPE=0fc63daf-8483-4772-8e79-3d69d8477de4
PART_ENTRY_NUMBER=1
PART_ENTRY_OFFSET=2048
PART_ENTRY_SIZE=4096
PART_ENTRY_DISK=7:0
`,
};

describe("parseBlkid", () => {
  it("reads the partition table of a disk", () => {
    assert.deepEqual(parseBlkid(captured.disk), {
      ...nothing,
      partitionTable: "gpt",
      partitionTableUuid: "458d6259-0fb9-1440-bffd-114b7b6d4fb2",
    });
  });

  it("reads the name that a GPT gives a partition", () => {
    assert.equal(parseBlkid(captured.named).partitionLabel, "PALLET-KEEP ü");
  });

  it("reads the filesystem of a partition and its PARTUUID", () => {
    assert.deepEqual(parseBlkid(captured.vfat), {
      ...nothing,
      partitionUuid: "ed55df7d-01",
      filesystemType: "vfat",
      label: "BOOTFS",
      uuid: "9C8B-258E",
    });
  });

  // Left of the arrow what blkid 2.38.1 printed for the label on the right.
  const labels: readonly [string, string][] = [
    ['my\\ lab\\$M-CM-\\<\\"', 'my lab$ü"'],
    ["a^Ib^A\\\\", "a^Ib^A\\"],
    ["plain", "plain"],
    ["M-1", "M-1"],
    ["M-CM-\\<\\ M-1", "M-CM-< M-1"],
    ["", ""],
  ];
  for (const [printed, label] of labels) {
    it(`reads the label ${label || "of nothing"}`, () => {
      assert.equal(parseBlkid(`LABEL=${printed}\nTYPE=ext4\n`).label, label);
    });
  }

  it("leaves no control characters in what ends up on terminals", () => {
    const output =
      "DEVNAME=disk.img\nLABEL=my\\ root\u001b\nUUID=3b2f733b-1d52\nBLOCK_SIZE=1024\nTYPE=ext4\nUSAGE=filesystem\n";
    assert.deepEqual(parseBlkid(output), {
      ...nothing,
      filesystemType: "ext4",
      label: "my root?",
      uuid: "3b2f733b-1d52",
    });
  });

  it("finds nothing in nothing", () => assert.deepEqual(parseBlkid(""), nothing));
  it("leaves out lines of another shape", () => assert.deepEqual(parseBlkid("TYPE\n=ext4\nblkid: x\n"), nothing));
});
