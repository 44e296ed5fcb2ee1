import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type ForeignAccess, renderForeignMount } from "../../../../proto/linux/render-foreign-mount.ts";

const place = { offsetBytes: 4096, lengthBytes: 8192 };
const common = "loop,offset=4096,sizelimit=8192,nosuid,nodev,noexec,noatime";

describe("a foreign filesystem", () => {
  const rows: readonly (readonly [filesystemType: string, ForeignAccess, type: string, options: string])[] = [
    ["ext4", "read", "ext4", `ro,${common},noload`],
    ["ext3", "read", "ext4", `ro,${common},noload`],
    ["ext2", "read", "ext2", `ro,${common}`],
    ["ext4", "write", "ext4", `rw,${common},noinit_itable`],
    ["ext2", "write", "ext4", `rw,${common},noinit_itable`],
    ["ext4", "write-without-journal", "ext4", `rw,${common},noinit_itable,noload`],
    ["btrfs", "read", "btrfs", `ro,${common}`],
    ["xfs", "write", "xfs", `rw,${common}`],
    ["vfat", "write", "vfat", `rw,${common}`],
  ];
  for (const [filesystemType, access, type, options] of rows) {
    it(`of type ${filesystemType} is mounted for ${access} as ${type} by ${options}`, () => {
      assert.deepEqual(renderForeignMount({ ...place, filesystemType }, access), { type, options });
    });
  }
});
