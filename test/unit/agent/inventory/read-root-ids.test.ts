import assert from "node:assert/strict";
import { mkdtemp, rm, truncate, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { after, before, describe, it } from "node:test";
import { parsePartitionUuid } from "../../../../agent/inventory/parse-root-ids.ts";
import { readIdsAt } from "../../../../agent/inventory/read-root-ids.ts";
import { parseBlkid, renderBlkidArguments } from "../../../../proto/disk/parse-blkid.ts";
import { execa } from "../../../../proto/linux/leashed-execa.ts";

const MiB = 1024 * 1024;

describe("ids of a root, beside libblkid's", () => {
  let folder: string;
  before(async () => {
    folder = await mkdtemp(path.join(os.tmpdir(), "pallet-root-ids-"));
  });
  after(() => rm(folder, { recursive: true }));

  for (const [type, sizeBytes, ...command] of [
    ["ext4", 8 * MiB, "mke2fs", "-q", "-t", "ext4"],
    ["xfs", 320 * MiB, "mkfs.xfs", "-q"],
    ["btrfs", 128 * MiB, "mkfs.btrfs", "-q"],
  ] as const)
    it(`reads the UUID of ${type}`, async () => {
      const file = path.join(folder, type);
      await writeFile(file, "");
      await truncate(file, sizeBytes);
      const [program, ...args] = command;
      await execa(program, [...args, file]);
      const { stdout } = await execa("blkid", renderBlkidArguments(file));
      const found = await readIdsAt({ device: file, disk: file, number: 1 });
      assert.equal(found?.filesystemUuid, parseBlkid(stdout).uuid);
      assert.match(found?.filesystemUuid ?? "", /^[0-9a-f-]{36}$/);
    });

  for (const [label, table, number] of [
    ["an MBR", "label: dos\nlabel-id: 0x0badcafe\nsize=2048\nsize=2048, type=83\n", 2],
    ["an MBR with disk id 0", "label: dos\nlabel-id: 0x00000000\nsize=2048\nsize=2048\n", 2],
    ["a logical partition", "label: dos\nlabel-id: 0x0badcafe\nsize=2048\ntype=5\nsize=2048\n", 5],
    ["a GPT", "label: gpt\nsize=2048\nsize=2048\nsize=2048\n", 3],
  ] as const)
    it(`reads the PARTUUID in ${label}`, async () => {
      const disk = path.join(folder, label.replaceAll(" ", "-"));
      await writeFile(disk, "");
      await truncate(disk, 16 * MiB);
      await execa("sfdisk", ["--quiet", "--no-tell-kernel", disk], { input: table });
      const { stdout } = await execa("sfdisk", ["--json", disk]);
      const { partitiontable } = JSON.parse(stdout) as {
        partitiontable: { id: string; partitions: readonly { node: string; uuid?: string }[] };
      };
      const entry = partitiontable.partitions.find(({ node }) => node.endsWith(`${number}`));
      const diskId = partitiontable.id.replace(/^0x/, "").padStart(8, "0");
      const expected = entry?.uuid?.toLowerCase() ?? (/^0+$/.test(diskId) ? "" : `${diskId}-0${number}`);
      const device = path.join(folder, "ext4");
      assert.equal((await readIdsAt({ device, disk, number }))?.partitionUuid, expected);
    });

  it("finds none on a disk that ends in the middle of its table", async () => {
    const start = Buffer.alloc(520);
    start.write("EFI PART", 512, "latin1");
    const found = await parsePartitionUuid(async (from, length) => start.subarray(from, from + length), 1);
    assert.equal(found, "");
  });

  it("knows no ids where the filesystem is none that it knows", async () => {
    const file = path.join(folder, "blank");
    await writeFile(file, Buffer.alloc(MiB));
    assert.equal(await readIdsAt({ device: file, disk: file, number: 1 }), undefined);
  });

  it("says that a squashfs has none", async () => {
    const file = path.join(folder, "squashfs");
    await execa("mksquashfs", [path.join(folder, "blank"), file, "-quiet"]);
    assert.deepEqual(await readIdsAt({ device: file, disk: file, number: 1 }), {
      partitionUuid: "",
      filesystemUuid: "",
    });
  });
});
