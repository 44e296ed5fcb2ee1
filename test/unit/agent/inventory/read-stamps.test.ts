import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, before, describe, it } from "node:test";
import { execa } from "execa";
import { readStamps } from "../../../../agent/inventory/read-stamps.ts";
import { selectStampable } from "../../../../agent/inventory/select-stampable.ts";
import type { BlockDevice } from "../../../../proto/disk/block-device.ts";
import type { ImageDigest } from "../../../../proto/pack/digest.ts";
import { renderStamp } from "../../../../proto/system/installed-system.ts";

const stamp = {
  imageName: "debian",
  imageDigest: "ab".repeat(32) as ImageDigest,
  reimageId: "r-1",
  installedAt: "2026-01-01T00:00:00.000Z",
};
const partition = (device: string, change: Partial<BlockDevice> = {}): BlockDevice =>
  ({ path: device, type: "part", filesystemType: "ext4", mountpoints: [], children: [], ...change }) as never;
const disk = (name: string, ...children: BlockDevice[]): BlockDevice =>
  ({ path: name, type: "disk", filesystemType: "", mountpoints: [], children }) as never;

describe("stamps on a node's disks", () => {
  let folder: string;
  const warnings: string[] = [];
  const log = { warn: (_: object, message: string) => void warnings.push(message) };
  before(async () => {
    folder = await mkdtemp(path.join(tmpdir(), "pallet-stamps-"));
  });
  after(() => rm(folder, { recursive: true }));

  /** A file with an ext4 filesystem, for a partition. */
  async function makeRoot(name: string, stampText?: string): Promise<string> {
    const tree = path.join(folder, `${name}-tree`);
    await mkdir(path.join(tree, "etc/pallet"), { recursive: true });
    if (stampText !== undefined) await writeFile(path.join(tree, "etc/pallet/installed.json"), stampText);
    const file = path.join(folder, name);
    await execa("truncate", ["--size", "8M", file]);
    await execa("mke2fs", ["-q", "-t", "ext4", "-d", tree, file]);
    return file;
  }

  it("are read without writing a byte, and what has none, or a broken one, is left out", async () => {
    const good = await makeRoot("good", renderStamp(stamp));
    const bare = await makeRoot("bare");
    const broken = await makeRoot("broken", "{");
    const blank = path.join(folder, "blank");
    await writeFile(blank, Buffer.alloc(1024 * 1024));
    const digestOf = async (file: string) =>
      createHash("sha256")
        .update(await readFile(file))
        .digest("hex");
    const before = await digestOf(good);
    const devices = [disk("/dev/mmcblk0", partition(good), partition(bare), partition(broken), partition(blank))];
    assert.deepEqual(await readStamps(async () => devices, log), [
      { disk: "/dev/mmcblk0", device: good, installed: stamp },
    ]);
    assert.match(warnings.join(), /ignoring the stamp on \S+broken/);
    assert.equal(await digestOf(good), before);
  });

  it("are none where the disks cannot be listed, and that is logged", async () => {
    assert.deepEqual(await readStamps(() => Promise.reject(new Error("no lsblk")), log), []);
    assert.match(warnings.at(-1) ?? "", /could not look for installed systems.*no lsblk/);
  });

  it("are looked for on unused ext partitions only", () => {
    const devices = [
      disk(
        "/dev/sda",
        partition("/dev/sda1", { filesystemType: "vfat" }),
        partition("/dev/sda2"),
        partition("/dev/sda3", { mountpoints: ["/"] }),
        partition("/dev/sda4", { children: [partition("/dev/dm-0", { type: "crypt" })] }),
        partition("/dev/sda5", { type: "crypt" }),
      ),
    ];
    assert.deepEqual(selectStampable(devices), [{ disk: "/dev/sda", device: "/dev/sda2" }]);
  });
});
