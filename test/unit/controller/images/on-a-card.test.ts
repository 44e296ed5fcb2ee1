// What an image says that nodes need not hold, against a card that held another system: written by the agent's own code.
import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { createReadStream } from "node:fs";
import { mkdir, mkdtemp, open, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { execa } from "execa";
import fc from "fast-check";
import { selectUsed } from "../../../../agent/write/plan-runs.ts";
import { firstPartitionBytes } from "../../../../controller/images/catalogue/image.ts";
import { createImageStore } from "../../../../controller/images/image-store.ts";
import { mapImage } from "../../../../controller/images/map/map-image.ts";
import { createChunkClassifier } from "../../../../controller/images/map/unused-map.ts";
import { writePack } from "../../../../controller/images/pack/write-pack.ts";
import type { OperationId } from "../../../../proto/operation/operation.ts";
import { imageDigestFrom } from "../../../../proto/pack/digest.ts";
import { isZero } from "../../../../proto/pack/is-zero.ts";
import { parsePackManifest } from "../../../../proto/pack/pack-manifest.ts";
import { requires } from "../../../requirements.ts";
import { aLoopDevice } from "../../agent/disk/a-loop-device.ts";
import { anImageServer } from "../../agent/fetch/an-image-server.ts";
import { theOperations } from "../../agent/write/the-operations.ts";
import { renderBlockMap } from "./block-map/a-block-map.ts";
import { rawBlocksOf } from "./formats/raw-blocks-of.ts";
import { aVeritySuperblock } from "./map/a-verity-superblock.ts";
import { bootTree, makeSmallImage, rootTree } from "./small-image.ts";

const MiB = 2 ** 20;
const blockBytes = 4096;

let folder: string;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), "pallet-card-"));
});
after(() => rm(folder, { recursive: true }));

/** The block map of a file whose zeros are holes, as bmaptool finds them. */
function blockMapOf(image: Buffer): Buffer {
  const ranges: { first: number; last: number; checksum: string }[] = [];
  const isHole = (block: number) => isZero(image.subarray(block * blockBytes, (block + 1) * blockBytes));
  for (let first = 0; first * blockBytes < image.length; first += 1) {
    if (isHole(first)) continue;
    let last = first;
    while ((last + 1) * blockBytes < image.length && !isHole(last + 1)) last += 1;
    const content = image.subarray(first * blockBytes, (last + 1) * blockBytes);
    ranges.push({ first, last, checksum: createHash("sha256").update(content).digest("hex") });
    first = last;
  }
  return renderBlockMap({ imageBytes: image.length, blockBytes, ranges });
}

describe("an image on a card that held another system", requires("root", "loop devices"), () => {
  it("has whole XFS and btrfs filesystems, of which a block map leaves out the holes", async (test) => {
    const path = join(folder, "mapped.img");
    await makeSmallImage(path, [
      { filesystem: "vfat", tree: bootTree },
      { filesystem: "ext4", tree: rootTree },
      { filesystem: "xfs" },
      { filesystem: "btrfs" },
    ]);
    const bytes = await readFile(path);
    const directory = join(folder, "store");
    const store = await createImageStore({ directory, log: { warn: (_, message) => assert.fail(message) } });
    const signal = new AbortController().signal;
    const blockMap = blockMapOf(bytes);
    const image = await store.add({ name: "mapped", source: createReadStream(path), blockMap, signal });

    const card = await aLoopDevice(test, bytes.length / MiB);
    await writeFile(card.path, randomBytes(bytes.length));
    const { pack: stored, digest, sizeBytes } = image;
    const server = await anImageServer(
      test,
      await readFile(store.packFile(stored.manifestDigest, "pack") ?? ""),
      undefined,
      await readFile(store.packFile(stored.manifestDigest, "manifest") ?? ""),
    );
    const operations = theOperations();
    const id = "w" as OperationId;
    await operations.start(id, {
      kind: "write-image",
      device: card.path,
      source: {
        ...{ url: server.url, storedBytes: image.storedBytes, sizeBytes, digest },
        firstPartitionBytes: firstPartitionBytes(image),
        manifest: { url: server.manifestUrl, digest: stored.manifestDigest, manifestBytes: stored.manifestBytes },
      },
      full: false,
    });
    const snapshots = await Array.fromAsync(operations.watch(id) ?? []);
    assert.equal(snapshots.at(-1)?.state, "succeeded", snapshots.at(-1)?.failure?.message);

    for (const { number } of image.partitions) {
      const part = `${card.path}p${number}`;
      const [command, ...args] = { 1: ["fsck.vfat"], 2: ["e2fsck", "-f"], 3: ["xfs_repair"], 4: ["btrfs", "check"] }[
        number
      ] as [string, ...string[]];
      await execa(command, [...args, ...(command === "btrfs" ? ["--readonly"] : ["-n"]), part]);
    }
    const written = await readFile(card.path);
    const outside = 13 * MiB;
    assert.ok(written.subarray(outside).equals(bytes.subarray(outside)), "what has no books is there to the byte");
  });
});

describe("a random layout on a card that held another system", () => {
  const part = fc.record({
    filesystem: fc.constantFrom("vfat", "ext4", "ext4", "swap", "unknown", "blank"),
    /** What the partition has behind its filesystem. */
    behind: fc.constantFrom("nothing", "nothing", "nothing", "zeros", "hashes", "verity"),
    gapSectors: fc.nat({ max: 40 }),
    seed: fc.nat(),
  });
  const layouts = fc.record({
    parts: fc.array(part, { minLength: 1, maxLength: 4 }),
    /** Which partition a hash tree somewhere in a gap is of; none when it is larger. */
    treeOf: fc.nat({ max: 12 }),
    isLinked: fc.constantFrom(false, false, false, false, true),
    everything: fc.constantFrom(false, false, false, false, true),
  });

  const leavesOut = {
    parts: [{ filesystem: "ext4", behind: "nothing", gapSectors: 0, seed: 1 } as const],
    treeOf: 12,
    isLinked: false,
    everything: false,
  };

  it("equals the image in every byte that is not provably free", async () => {
    let runs = 0;
    let left = 0;
    await fc.assert(
      fc.asyncProperty(layouts, async ({ parts, treeOf, isLinked, everything }) => {
        const path = join(folder, `random-${runs++}.img`);
        const places = parts.map(({ gapSectors }, index) => ({
          offsetBytes: MiB + index * 8 * MiB + gapSectors * 512,
          lengthBytes: 7 * MiB,
        }));
        const file = await open(path, "wx");
        await file.truncate(MiB + parts.length * 8 * MiB + 512);
        await file.write(randomBytes(512), 0, 512, 0);
        const free: { start: number; end: number }[] = [];
        for (const [index, { filesystem, behind, seed }] of parts.entries()) {
          const { offsetBytes, lengthBytes } = places[index] ?? { offsetBytes: 0, lengthBytes: 0 };
          const filesystemBytes = lengthBytes - (behind === "nothing" ? 0 : MiB);
          if (filesystem === "ext4" || filesystem === "vfat") {
            const of = await makeFilesystem(path, filesystem, offsetBytes, filesystemBytes, seed);
            if (behind === "nothing" || behind === "zeros") free.push(...of);
          }
          if (filesystem === "unknown") await file.write(randomBytes(4096), 0, 4096, offsetBytes + MiB);
          if (filesystem === "swap") await file.write("SWAPSPACE2", offsetBytes + 4086);
          if (behind === "hashes") await file.write("AVBf", offsetBytes + lengthBytes - 64);
          if (behind === "verity")
            await file.write(aVeritySuperblock(filesystemBytes), 0, 512, offsetBytes + filesystemBytes);
        }
        const isAll =
          everything || isLinked || parts.some(({ filesystem }) => filesystem === "unknown") || treeOf === parts.length;
        const tree = places[treeOf];
        // They all have this size.
        if (tree !== undefined || treeOf === parts.length) {
          await file.write(aVeritySuperblock(tree?.lengthBytes ?? 4096), 0, 512, MiB + parts.length * 8 * MiB);
        }
        await file.close();
        const image = await readFile(path);

        const partitions = places.map((place, index) => ({
          ...{ number: index + 1, ...place, type: "83", partitionUuid: "", label: "", uuid: "" },
          filesystemType: { ext4: "ext4", vfat: "vfat", swap: "swap", unknown: "", blank: "" }[
            parts[index]?.filesystem ?? "blank"
          ],
        }));
        const chunkBytes = 16 * 1024;
        const blocks = rawBlocksOf(image);
        const unused = await mapImage({
          ...{ imagePath: path, imageBytes: image.length, partitions, chunkBytes, everything, isZero: blocks.isZero },
          commandLine: isLinked ? "quiet roothash=1f" : "quiet",
          onAllUsed: () => undefined,
        });
        const [packPath, manifestPath] = [`${path}.zst`, `${path}.manifest`];
        const imageDigest = imageDigestFrom(createHash("sha256").update(image).digest());
        const packed = { imagePath: path, imageDigest, blocks, packPath, manifestPath, chunkBytes };
        await writePack({ ...packed, kindOf: createChunkClassifier(unused) });
        const { stdout: restored } = await execa("zstd", ["-dc", packPath], { encoding: "buffer" });
        assert.ok(image.equals(restored), "zstd -d restores the image to the byte");

        const manifest = parsePackManifest(await readFile(manifestPath));
        const card = randomBytes(image.length);
        for (const [chunk, chosen] of selectUsed(manifest).entries()) {
          const start = manifest.offsetOf(chunk);
          if (chosen === 1) card.set(image.subarray(start, start + manifest.lengthOf(chunk)), start);
        }
        // Where it may differ.
        if (!isAll && tree === undefined) {
          for (const { start, end } of free) {
            if (!card.subarray(start, end).equals(image.subarray(start, end))) left += 1;
            card.set(image.subarray(start, end), start);
          }
        }
        assert.ok(card.equals(image), "something that is not free differs from the image");
        for (const each of [path, packPath, manifestPath]) await rm(each);
      }),
      // The first one leaves something out, whatever chance makes of the others.
      { numRuns: 15, examples: [[leavesOut]] },
    );
    assert.ok(left > 0, "nothing was ever left out");
  });

  /** Makes a filesystem with some files, one of which was deleted; resolves with what it has free, by other means. */
  async function makeFilesystem(
    path: string,
    type: "ext4" | "vfat",
    offsetBytes: number,
    lengthBytes: number,
    seed: number,
  ): Promise<{ start: number; end: number }[]> {
    const environment = { PATH: `${process.env["PATH"]}:/usr/sbin:/sbin`, MTOOLS_SKIP_CHECK: "1" };
    const run = (command: string, ...args: string[]) => execa(command, args, { env: environment });
    const tree = `${path}.tree`;
    await mkdir(tree);
    for (const name of ["a", "b"]) await writeFile(join(tree, name), randomBytes(50_000 + (seed % 100_000)));
    try {
      if (type === "vfat") {
        const kibibytes = `${lengthBytes / 1024}`;
        await run("mkfs.vfat", "-s", "8", `--offset=${offsetBytes / 512}`, path, kibibytes);
        const drive = ["-i", `${path}@@${offsetBytes}`];
        await run("mcopy", ...drive, join(tree, "a"), join(tree, "b"), "::");
        await run("mdel", ...drive, "::a");
        // Clusters of 4 KiB from 2 on, of which mshowfat(1) gives those of the one file; the folder is before them.
        const { stdout } = await run("mshowfat", ...drive, "::b");
        const [, first, last = first] = /<(\d+)(?:-(\d+))?>/.exec(stdout) ?? [];
        const sector = (await readFile(path)).subarray(offsetBytes, offsetBytes + 512);
        const dataAt =
          offsetBytes +
          512 * (sector.readUInt16LE(14) + sector.readUInt8(16) * sector.readUInt16LE(22)) +
          32 * sector.readUInt16LE(17);
        const at = (cluster: number) => dataAt + (cluster - 2) * 4096;
        return [
          { start: at(2), end: at(Number(first)) },
          { start: at(Number(last) + 1), end: offsetBytes + lengthBytes },
        ];
      }
      const extended = `offset=${offsetBytes},root_owner=0:0`;
      await run(
        "mke2fs",
        "-q",
        "-F",
        "-t",
        "ext4",
        "-b",
        "4096",
        "-d",
        tree,
        "-E",
        extended,
        path,
        `${lengthBytes / 1024}k`,
      );
      const at = `${path}?offset=${offsetBytes}`;
      await run("debugfs", "-w", "-R", "rm a", at);
      const count = lengthBytes / 4096;
      const { stdout } = await run("debugfs", "-R", `testb 1 ${count - 1}`, at);
      return [...stdout.matchAll(/Block (\d+) not in use/g)].map(([, block]) => ({
        start: offsetBytes + Number(block) * 4096,
        end: offsetBytes + (Number(block) + 1) * 4096,
      }));
    } finally {
      await rm(tree, { recursive: true });
    }
  }
});
