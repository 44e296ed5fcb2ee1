// A card that grows, on real block devices and with the real tools, through the registry.
import assert from "node:assert/strict";
import { mkdir, readFile } from "node:fs/promises";
import path from "node:path";
import { describe, it, type TestContext } from "node:test";
import { execa } from "execa";
import type { Operation, OperationId } from "../../../../proto/operation/operation.ts";
import type { Growth, OperationSpec } from "../../../../proto/operation/operation-spec.ts";
import { requires } from "../../../requirements.ts";
import { aLoopDevice, type LoopDevice } from "../disk/a-loop-device.ts";
import { anImageServer } from "../fetch/an-image-server.ts";
import { aPack } from "./a-pack.ts";
import { aSystemImage, type SystemImage, type SystemImageOptions } from "./a-system-image.ts";
import { theOperations } from "./the-operations.ts";

const mebibyte = 1024 * 1024;
type WriteSpec = Extract<OperationSpec, { kind: "write-image" }>;

/** The Growth of the root of such an image. */
function growthOf({ customisation: { root } }: SystemImage, changes: Partial<Growth> = {}): Growth {
  assert.ok(root);
  return { partitionNumber: 2, ...root, ...changes };
}

async function write(
  test: TestContext,
  device: LoopDevice,
  system: SystemImage,
  changes: Partial<WriteSpec> = {},
): Promise<Operation> {
  const server = await anImageServer(test, system.pack.pack, undefined, system.pack.manifest);
  const operations = theOperations();
  const spec: WriteSpec = {
    kind: "write-image",
    device: device.path,
    source: system.pack.sourceAt(server),
    customisation: system.customisation,
    full: false,
    ...changes,
  };
  await operations.start("w" as OperationId, spec);
  const last = (await Array.fromAsync(operations.watch("w" as OperationId) ?? [])).at(-1);
  assert.equal(last?.state, "succeeded", last?.failure?.message);
  assert.ok(last);
  return last;
}

/** How long the root filesystem is, by itself, and whether it is sound. */
async function filesystemBytes({ path: device }: LoopDevice): Promise<number> {
  await execa("e2fsck", ["-f", "-n", `${device}p2`]);
  const { stdout } = await execa("dumpe2fs", ["-h", `${device}p2`]);
  const read = (name: string) => Number(new RegExp(`^${name}: +(\\d+)$`, "m").exec(stdout)?.[1]);
  return read("Block count") * read("Block size");
}

async function endOfRoot({ path: device }: LoopDevice): Promise<number> {
  const { stdout, stderr } = await execa("sfdisk", ["--json", device]);
  assert.equal(stderr, "");
  const [, root] = JSON.parse(stdout).partitiontable.partitions;
  return (root.start + root.size) * 512;
}

describe("growing the root of a card", requires("root", "loop devices"), () => {
  const images: readonly (readonly [what: string, options: SystemImageOptions, sizeMib: number])[] = [
    ["as Debian makes it", {}, 300],
    ["in a GPT", { table: "gpt" }, 300],
    ["as Raspberry Pi OS made it", { mke2fs: ["-O", "^64bit,^metadata_csum"] }, 300],
    ["without room for descriptors", { mke2fs: ["-O", "^resize_inode"] }, 2000],
    ["ext3", { filesystemType: "ext3" }, 300],
    ["ext2", { filesystemType: "ext2" }, 300],
    ["of 4096-byte blocks", { mke2fs: ["-b", "4096"] }, 300],
  ];
  for (const [what, options, sizeMib] of images) {
    it(`fills the card with an image ${what}, and mounts with its stamp and its files`, async (test) => {
      const system = await aSystemImage(options);
      const device = await aLoopDevice(test, sizeMib);
      const { writeResult } = await write(test, device, system, { growth: growthOf(system) });
      const end = await endOfRoot(device);
      assert.ok(end > (sizeMib - 2) * mebibyte, `the partition ends at ${end}`);
      const partitionBytes = end - 5 * mebibyte;
      assert.deepEqual(writeResult?.growth, { partitionBytes, filesystemGrown: true });
      const length = await filesystemBytes(device);
      // A last group that is too short to hold its own tables is left out.
      assert.ok(length <= partitionBytes && length > partitionBytes - 8 * mebibyte, `${length} of ${partitionBytes}`);
      const at = path.join(device.folder, "mount");
      await mkdir(at);
      await execa("mount", [`${device.path}p2`, at]);
      try {
        assert.equal(await readFile(path.join(at, "etc", "hostname"), "utf8"), "test\n");
        const stamp = JSON.parse(await readFile(path.join(at, "etc/pallet/installed.json"), "utf8"));
        assert.deepEqual(stamp, system.customisation.stamp);
      } finally {
        await execa("umount", [at]);
      }
    });
  }

  it("lets the same image find its chunks again, on a card of 128 GB too", async (test) => {
    const system = await aSystemImage({ rootMib: 400, ballastBytes: 300 * mebibyte, mke2fs: ["-b", "4096"] });
    const device = await aLoopDevice(test, 128 * 1000);
    const growth = growthOf(system);
    await write(test, device, system, { growth });
    const before = await writtenBytes(device);
    const { progress, writeResult } = await write(test, device, system, { growth });
    const written = (await writtenBytes(device)) - before;
    assert.equal(writeResult?.growth?.filesystemGrown, true);
    assert.ok((await filesystemBytes(device)) > 127e9);
    const percent = 0.01 * system.pack.usedBytes;
    assert.ok(progress.read.done <= percent, `${progress.read.done} bytes were fetched`);
    assert.ok(progress.written.done <= percent, `${progress.written.done} bytes were written`);
    // With growth, stamp, table and erasure.
    assert.ok(written <= 3 * percent, `${written} bytes went to the card in all`);
  });

  it("writes no inode tables, also of an image of Raspberry Pi OS that has no checksums", async (test) => {
    const system = await aSystemImage({ rootMib: 150, mke2fs: ["-b", "4096", "-O", "^64bit,^metadata_csum"] });
    const device = await aLoopDevice(test, 128 * 1000);
    const before = await writtenBytes(device);
    await write(test, device, system, { growth: growthOf(system) });
    const written = (await writtenBytes(device)) - before;
    assert.ok(written <= 180 * mebibyte, `${written} bytes went to the card`);
    assert.ok((await filesystemBytes(device)) > 127e9);
  });

  it("grows a tiny image on a large card as far as its descriptors reach, and says so", async (test) => {
    for (const mke2fs of [
      ["-b", "4096", "-O", "^64bit,^metadata_csum"],
      ["-b", "1024"],
      ["-O", "^resize_inode"],
    ]) {
      const system = await aSystemImage({ mke2fs });
      const device = await aLoopDevice(test, 128 * 1000);
      const { writeResult } = await write(test, device, system, { growth: growthOf(system) });
      assert.equal(writeResult?.growth?.filesystemGrown, true, writeResult?.growth?.limit);
      assert.match(writeResult?.growth?.limit ?? "", /no room for more group descriptors/);
      const length = await filesystemBytes(device);
      assert.ok(length > 7e9 && length < 40e9, `${length} bytes`);
    }
  });

  it("ends at a bound", async (test) => {
    const system = await aSystemImage({ table: "gpt" });
    const device = await aLoopDevice(test, 300);
    const growth = growthOf(system, { endBytes: 100 * mebibyte + 5 });
    const { writeResult } = await write(test, device, system, { growth });
    assert.equal(await endOfRoot(device), 100 * mebibyte);
    assert.deepEqual(writeResult?.growth, { partitionBytes: 95 * mebibyte, filesystemGrown: true });
    assert.equal(await filesystemBytes(device), 95 * mebibyte);
    await write(test, device, system);
    assert.equal(await endOfRoot(device), 17 * mebibyte, "what is written without growth is as in the image");
    assert.equal(await filesystemBytes(device), 12 * mebibyte);
  });

  it("grows the partition only where the agent cannot grow the filesystem, and says so", async (test) => {
    const system = await aSystemImage();
    const device = await aLoopDevice(test, 64);
    const growth = growthOf(system, { filesystemType: "btrfs" });
    const { writeResult } = await write(test, device, system, { growth });
    const limit = "the agent grows no btrfs";
    assert.deepEqual(writeResult?.growth, { partitionBytes: 59 * mebibyte, filesystemGrown: false, limit });
    assert.equal(await endOfRoot(device), 64 * mebibyte);
    assert.equal(await filesystemBytes(device), 12 * mebibyte);
  });

  it("sets a filesystem right that was not unmounted, and grows it", async (test) => {
    const system = await aSystemImage({ mke2fs: ["-O", "^metadata_csum"] });
    const image = Buffer.from(system.image);
    // s_state: not cleanly unmounted (Documentation/filesystems/ext4/super.rst).
    image.writeUInt16LE(0, 5 * mebibyte + 1024 + 0x3a);
    const device = await aLoopDevice(test, 64);
    const unclean = { ...system, image, pack: aPack(image) };
    const { writeResult } = await write(test, device, unclean, { growth: growthOf(system) });
    assert.equal(writeResult?.growth?.filesystemGrown, true, writeResult?.growth?.limit);
    await filesystemBytes(device);
  });

  it("says that a card as large as the image has no room", async (test) => {
    const system = await aSystemImage();
    const device = await aLoopDevice(test, 17);
    const { writeResult } = await write(test, device, system, { growth: growthOf(system) });
    const expected = { partitionBytes: 12 * mebibyte, filesystemGrown: false, limit: "the card has no room behind it" };
    assert.deepEqual(writeResult?.growth, expected);
  });

  it("gives a card with disk id 0 an id, in its table, its cmdline.txt, its fstab and its stamp", async (test) => {
    const system = await aSystemImage({
      head: "label-id: 0x00000000\n",
      bootFiles: { "cmdline.txt": "console=tty1 root=PARTUUID=00000000-02 rootwait\n" },
      files: {
        "etc/fstab": "PARTUUID=00000000-02 / ext4 defaults 0 1\nPARTUUID=00000000-01 /boot vfat defaults 0 2\n",
      },
    });
    const device = await aLoopDevice(test, 64);
    const partitions = [1, 2].map((partitionNumber) => ({
      partitionNumber,
      imageUuid: `00000000-0${partitionNumber}`,
      cardUuid: `5eed0001-0${partitionNumber}`,
    }));
    const { root } = system.customisation;
    assert.ok(root);
    const ids = { partitions, fatPartitions: [{ offsetBytes: mebibyte, lengthBytes: 4 * mebibyte }], root };
    for (const growth of [undefined, growthOf(system)]) {
      const { writeResult } = await write(test, device, system, { ids, ...(growth && { growth }) });
      assert.deepEqual(writeResult?.ids, partitions);
      const { stdout } = await execa("blkid", ["-p", "-o", "value", "-s", "PART_ENTRY_UUID", `${device.path}p2`]);
      assert.equal(stdout, "5eed0001-02");
      const commandLine = await execa("mtype", ["-i", `${device.path}@@${mebibyte}`, "::/cmdline.txt"]);
      assert.equal(commandLine.stdout, "console=tty1 root=PARTUUID=5eed0001-02 rootwait");
      const fstab = await execa("debugfs", ["-R", "cat /etc/fstab", `${device.path}p2`]);
      assert.match(fstab.stdout, /^PARTUUID=5eed0001-02 \/ .*\nPARTUUID=5eed0001-01 \/boot /);
      const stamp = await execa("debugfs", ["-R", "cat /etc/pallet/installed.json", `${device.path}p2`]);
      assert.deepEqual(JSON.parse(stamp.stdout).ids, partitions);
      await filesystemBytes(device);
    }
  });
});

async function writtenBytes({ name }: LoopDevice): Promise<number> {
  const fields = (await readFile(`/sys/block/${name}/stat`, "utf8")).trim().split(/\s+/);
  return Number(fields[6]) * 512;
}
