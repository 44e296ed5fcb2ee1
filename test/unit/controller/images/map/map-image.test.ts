import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { constants, copyFile, mkdir, mkdtemp, open, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { execa } from "execa";
import { mapImage } from "../../../../../controller/images/map/map-image.ts";
import { createChunkClassifier } from "../../../../../controller/images/map/unused-map.ts";
import type { ChunkKind } from "../../../../../proto/pack/pack-manifest.ts";

const MiB = 1024 * 1024;
const chunkBytes = 16 * 1024;
/** Where the one partition of each image starts; no chunk starts there. */
const offsetBytes = MiB + 4096;
/** Each filesystem is made so much smaller than its partition. */
const slackBytes = MiB / 2;

const environment = { PATH: `${process.env["PATH"]}:/usr/sbin:/sbin`, MTOOLSRC: "/dev/null", MTOOLS_SKIP_CHECK: "1" };
const run = (command: string, ...args: string[]) =>
  execa(command, args, { env: environment, encoding: "buffer", stripFinalNewline: false });

/** Length of the partition, and how the filesystem in it is made. */
const filesystems = {
  fat12: { lengthBytes: 4 * MiB, args: ["-F", "12", "-s", "8"] },
  fat16: { lengthBytes: 5 * MiB, args: ["-F", "16", "-s", "1"] },
  fat32: { lengthBytes: 35 * MiB, args: ["-F", "32", "-s", "1"] },
  ext4: { lengthBytes: 9 * MiB, args: ["-t", "ext4", "-b", "4096"] },
  "ext4 of small blocks and groups": { lengthBytes: 9 * MiB, args: ["-t", "ext4", "-b", "1024", "-g", "2048"] },
  ext2: { lengthBytes: 4 * MiB, args: ["-t", "ext2"] },
} as const;
type Name = keyof typeof filesystems;
const names = Object.keys(filesystems) as Name[];
const isFat = (name: Name) => name.startsWith("fat");

const fileBytes = 100_000;
const content = (name: string): Buffer => {
  const parts = Array.from({ length: 1600 }, (_, part) => createHash("sha512").update(`${name} ${part}`).digest());
  return Buffer.concat(parts).subarray(0, fileBytes);
};

let folder: string;
const pathOf = (name: Name) => join(folder, `${name}.img`);

before(async () => {
  folder = await mkdtemp(join(tmpdir(), "pallet-map-"));
  const tree = join(folder, "tree");
  await mkdir(tree);
  for (const name of ["a", "b", "c"]) await writeFile(join(tree, name), content(name));
  for (const name of names) {
    const path = pathOf(name);
    const { lengthBytes, args } = filesystems[name];
    const file = await open(path, "wx");
    await file.write(Buffer.from("boot code and partition table"), 0, 29, 0);
    await file.truncate(offsetBytes + lengthBytes + MiB);
    await file.close();
    const kibibytes = `${(lengthBytes - slackBytes) / 1024}`;
    if (isFat(name)) {
      const drive = ["-i", `${path}@@${offsetBytes}`];
      await run("mkfs.vfat", ...args, `--offset=${offsetBytes / 512}`, path, kibibytes);
      await run("mcopy", ...drive, ...["a", "b", "c"].map((each) => join(tree, each)), "::");
      // What was deleted still is in clusters that are free.
      await run("mdel", ...drive, "::b");
    } else {
      const extended = `offset=${offsetBytes},root_owner=0:0`;
      await run("mke2fs", "-q", "-F", ...args, "-d", tree, "-E", extended, path, `${kibibytes}k`);
      await debugfs(path, "rm b");
    }
  }
});
after(() => rm(folder, { recursive: true }));

async function mapped(path: string, name: Name) {
  const told: string[] = [];
  const bytes = await readFile(path);
  const type = isFat(name) ? "vfat" : name.slice(0, 4);
  const { lengthBytes } = filesystems[name];
  const about = { number: 1, type: "83", partitionUuid: "", label: "", uuid: "" };
  const map = await mapImage({
    imagePath: path,
    imageBytes: bytes.length,
    partitions: [{ ...about, filesystemType: type, offsetBytes, lengthBytes }],
    chunkBytes,
    onAllUsed: (_partition, { why }) => told.push(why),
  });
  const classify = createChunkClassifier(map);
  const kinds: ChunkKind[] = [];
  for (let at = 0; at < bytes.length; at += chunkBytes) kinds.push(classify(at, bytes.subarray(at, at + chunkBytes)));
  const bytesOf = (kind: ChunkKind) => kinds.filter((each) => each === kind).length * chunkBytes;
  return { kinds, bytes, sums: { data: bytesOf("data"), zero: bytesOf("zero"), unused: bytesOf("unused") }, told };
}

async function readBack(path: string, name: Name, file: string): Promise<Buffer> {
  const { stdout } = isFat(name)
    ? await run("mtype", "-i", `${path}@@${offsetBytes}`, `::${file}`)
    : await debugfs(path, `cat ${file}`);
  return Buffer.from(stdout);
}

async function checkFilesystem(path: string, name: Name): Promise<void> {
  const part = join(folder, "part");
  await writeFile(part, (await readFile(path)).subarray(offsetBytes, offsetBytes + filesystems[name].lengthBytes));
  await (isFat(name) ? run("fsck.vfat", "-n", part) : run("e2fsck", "-f", "-n", part));
}

function debugfs(path: string, request: string) {
  return run("debugfs", "-w", "-R", request, `${path}?offset=${offsetBytes}`);
}

async function poke(path: string, at: number, change: (byte: number) => number): Promise<void> {
  const file = await open(path, "r+");
  const byte = Buffer.alloc(1);
  await file.read(byte, 0, 1, offsetBytes + at);
  byte.writeUInt8(change(byte.readUInt8(0)) & 0xff);
  await file.write(byte, 0, 1, offsetBytes + at);
  await file.close();
}

describe("what a filesystem has free", () => {
  for (const name of names) {
    it(`is unused in ${name}: whatever is there instead, all is as it was, and nothing more is left in use`, async () => {
      const { kinds, bytes, sums, told } = await mapped(pathOf(name), name);
      assert.deepEqual(told, []);
      assert.equal(kinds[0], "data");
      for (const [chunk, kind] of kinds.entries()) {
        // What a card holds that had another system before.
        if (kind === "unused") bytes.subarray(chunk * chunkBytes, (chunk + 1) * chunkBytes).fill(0xa5);
      }
      const other = join(folder, "other.img");
      await writeFile(other, bytes);
      await checkFilesystem(other, name);
      for (const file of ["a", "c"]) assert.ok((await readBack(other, name, file)).equals(content(file)), file);
      // Two files, bookkeeping, and the chunks at their ends; not the third file, which was deleted.
      assert.ok(sums.data > 2 * fileBytes && sums.data < 2 * fileBytes + 30 * chunkBytes, `${sums.data} bytes of data`);
      const { lengthBytes } = filesystems[name];
      assert.ok(sums.unused > (lengthBytes - MiB) * 0.4 - 2 * chunkBytes, `${sums.unused} unused`);
      // Behind the filesystem and its partition a card must read as zeros, as the image does.
      assert.ok(sums.zero >= slackBytes + MiB - 2 * chunkBytes, `${sums.zero} zero`);
    });
  }

  const mounted = (byte: number) => byte | 1;
  const other = (byte: number) => byte ^ 0xff;
  const spoils: readonly (readonly [string, Name, (path: string) => Promise<unknown>, RegExp])[] = [
    ["was not unmounted cleanly", "ext4", (path) => debugfs(path, "ssv state 0"), /its state is "not clean"/],
    ["has errors", "ext4", (path) => debugfs(path, "ssv state 3"), /its state is "clean with errors"/],
    ["has a journal to be played back", "ext4", (path) => debugfs(path, "feature needs_recovery"), /needs_recovery/],
    ["counts other than its bitmaps", "ext2", (path) => debugfs(path, "ssv free_blocks_count 5"), /superblock says 5/],
    ["is larger than its partition", "ext2", (path) => debugfs(path, "ssv blocks_count 8000"), /than its partition/],
    [
      "has an altered bitmap",
      "ext4",
      async (path) => {
        const { stdout } = await run("dumpe2fs", `${path}?offset=${offsetBytes}`);
        const bitmap = Number(/Block bitmap at (\d+)/.exec(Buffer.from(stdout).toString())?.[1]);
        await poke(path, bitmap * 4096 + 200, other);
      },
      /dumpe2fs/,
    ],
    ["is no filesystem any more", "ext4", (path) => poke(path, 1080, other), /dumpe2fs cannot read/],
    ["is mounted, says a FAT16", "fat16", (path) => poke(path, 37, mounted), /not unmounted cleanly/],
    ["is mounted, says a FAT32", "fat32", (path) => poke(path, 65, mounted), /not unmounted cleanly/],
    ["is mounted, says the table of a FAT16", "fat16", (path) => pokeTables(path, 3, 0x7f), /not unmounted cleanly/],
    ["has errors, says the table of a FAT32", "fat32", (path) => pokeTables(path, 7, 0x0b), /not unmounted cleanly/],
    [
      "has copies of its table that differ",
      "fat16",
      (path) => poke(path, 3000, other),
      /copies of its .* table differ/,
    ],
    ["contradicts itself", "fat12", (path) => poke(path, 13, () => 3), /clusters have 1536 bytes/],
  ];
  for (const [title, name, spoil, message] of spoils) {
    it(`does not count when it ${title}: all of it is used`, async () => {
      const path = join(folder, "spoilt.img");
      await copyFile(pathOf(name), path, constants.COPYFILE_FICLONE);
      await spoil(path);
      const { sums, told } = await mapped(path, name);
      assert.equal(told.length, 1, told.join());
      assert.match(told[0] ?? "", message);
      // What was deleted is sent, too.
      assert.ok(sums.data > 3 * fileBytes, `${sums.data} bytes of data`);
      assert.equal(sums.unused, 0);
    });
  }

  /** Sets a byte in both copies of a FAT's allocation table. */
  async function pokeTables(path: string, at: number, value: number): Promise<void> {
    const sector = (await readFile(path)).subarray(offsetBytes, offsetBytes + 512);
    const tableSectors = sector.readUInt16LE(22) || sector.readUInt32LE(36);
    const first = sector.readUInt16LE(14) * 512;
    for (const table of [first, first + tableSectors * 512]) await poke(path, table + at, () => value);
  }
});
