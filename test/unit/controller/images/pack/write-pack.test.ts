import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { mkdtemp, open, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { after, before, describe, it } from "node:test";
import { zstdDecompressSync } from "node:zlib";
import { execa } from "execa";
import fc from "fast-check";
import { writeRawFile } from "../../../../../controller/images/import/write-raw-file.ts";
import { type PackRequest, writePack } from "../../../../../controller/images/pack/write-pack.ts";
import type { Failure } from "../../../../../proto/failure.ts";
import { blake3 } from "../../../../../proto/pack/blake3.ts";
import { type ChunkKind, type PackManifest, parsePackManifest } from "../../../../../proto/pack/pack-manifest.ts";

let folder: string;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), "pallet-pack-"));
});
after(() => rm(folder, { recursive: true }));

let packs = 0;

async function pack(image: Uint8Array, more: Partial<PackRequest> = {}) {
  const path = join(folder, `${packs++}`);
  const { digest: imageDigest, blocks } = await writeRawFile(`${path}.img`, Readable.from([image]));
  const raw = { imagePath: `${path}.img`, imageDigest, blocks };
  const written = await writePack({
    ...raw,
    packPath: `${path}.zst`,
    manifestPath: `${path}.manifest`,
    ...more,
  });
  const stored = await readFile(`${path}.zst`);
  const manifestBytes = await readFile(`${path}.manifest`);
  return { path, raw, written, stored, manifestBytes, manifest: parsePackManifest(manifestBytes) };
}

function frameOf(stored: Buffer, manifest: PackManifest, chunk: number): Buffer {
  return stored.subarray(manifest.frameOffsetOf(chunk), manifest.frameOffsetOf(chunk + 1));
}

/** Bytes that a compressor makes nothing of, and the same for the same seed. */
function noise(bytes: number, seed: number): Buffer {
  const parts: Buffer[] = [];
  for (let at = 0; at < bytes; at += 64) parts.push(createHash("sha512").update(`${seed} ${at}`).digest());
  return Buffer.concat(parts).subarray(0, bytes);
}

type Piece = { readonly sort: "zeros" | "noise" | "text"; readonly sectors: number; readonly seed: number };

function imageOf(pieces: readonly Piece[]): Buffer {
  return Buffer.concat(
    pieces.map(({ sort, sectors, seed }) => {
      if (sort === "zeros") return Buffer.alloc(sectors * 512);
      return sort === "noise" ? noise(sectors * 512, seed) : Buffer.alloc(sectors * 512, `line ${seed}\n`);
    }),
  );
}

const piece: fc.Arbitrary<Piece> = fc.record({
  sort: fc.constantFrom("zeros", "noise", "text"),
  sectors: fc.integer({ min: 1, max: 64 }),
  seed: fc.nat(),
});

describe("a pack", () => {
  it("gives back the image, whole and chunk by chunk, whatever is in it and whatever its chunks are for", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(piece, { minLength: 1, maxLength: 30 }),
        fc.constantFrom(4096, 8192, 65_536),
        fc.infiniteStream(fc.boolean()),
        async (pieces, chunkBytes, coin) => {
          const image = imageOf(pieces);
          const asked: number[] = [];
          const kindOf = (offset: number, bytes: Uint8Array): ChunkKind => {
            asked.push(offset);
            if (coin.next().value) return "unused";
            return bytes.every((byte) => byte === 0) ? "zero" : "data";
          };
          const { path, written, stored, manifest } = await pack(image, { chunkBytes, kindOf });

          const { stdout } = await execa("zstd", ["-dc", `${path}.zst`], {
            encoding: "buffer",
            stripFinalNewline: false,
          });
          assert.ok(Buffer.from(stdout).equals(image), "zstd -dc gives other bytes");
          assert.equal(manifest.imageDigest, createHash("sha256").update(image).digest("hex"));
          assert.deepEqual(
            asked,
            Array.from({ length: manifest.chunkCount }, (_, chunk) => chunk * chunkBytes),
          );
          const sums = { data: 0, zero: 0, unused: 0 };
          let fetchBytes = 0;
          for (let chunk = 0; chunk < manifest.chunkCount; chunk += 1) {
            const bytes = image.subarray(chunk * chunkBytes, (chunk + 1) * chunkBytes);
            const frame = frameOf(stored, manifest, chunk);
            const kind = manifest.kindOf(chunk);
            assert.ok(zstdDecompressSync(frame).equals(bytes), `chunk ${chunk}`);
            sums[kind] += bytes.length;
            if (kind !== "data") continue;
            fetchBytes += frame.length;
            assert.ok(blake3(bytes).equals(manifest.digestOf(chunk)), `digest of chunk ${chunk}`);
          }
          assert.equal(stored.length, written.storedBytes);
          assert.equal(stored.length, manifest.packBytes);
          const { dataBytes, zeroBytes, unusedBytes } = written.pack;
          assert.deepEqual({ data: dataBytes, zero: zeroBytes, unused: unusedBytes }, sums);
          assert.equal(written.pack.fetchBytes, fetchBytes);
          assert.equal(written.imageBytes, image.length);
        },
      ),
      { numRuns: 25 },
    );
  });

  it("is a seekable zstd file: the seek table at its end tells where each frame is", async () => {
    const { stored, manifest } = await pack(noise(10 * 4096 + 512, 1), { chunkBytes: 4096 });
    const footer = stored.subarray(-9);
    assert.equal(footer.readUInt32LE(5), 0x8f92eab1);
    assert.equal(footer.readUInt32LE(0), manifest.chunkCount);
    const entries = stored.subarray(manifest.frameOffsetOf(manifest.chunkCount) + 8, -9);
    assert.equal(entries.length, 8 * manifest.chunkCount);
    for (let chunk = 0; chunk < manifest.chunkCount; chunk += 1) {
      assert.equal(entries.readUInt32LE(8 * chunk), manifest.frameLengthOf(chunk));
      assert.equal(entries.readUInt32LE(8 * chunk + 4), manifest.lengthOf(chunk));
    }
  });

  it("says in the head of each frame how long its content is", async () => {
    const { stored, manifest } = await pack(Buffer.concat([noise(65_536, 1), Buffer.alloc(65_536), noise(512, 2)]));
    const lengths = [0, 1, 2].map((chunk) => contentBytes(frameOf(stored, manifest, chunk)));
    assert.deepEqual(lengths, [65_536, 65_536, 512]);
  });

  it("takes chunks for data where they are not all zeros, unless told otherwise", async () => {
    const { manifest } = await pack(Buffer.concat([noise(4096, 1), Buffer.alloc(4096), noise(4096, 2)]), {
      chunkBytes: 4096,
    });
    assert.deepEqual([0, 1, 2].map(manifest.kindOf), ["data", "zero", "data"]);
  });

  it("is the same for the same image", async () => {
    const image = imageOf([
      { sort: "text", sectors: 3000, seed: 1 },
      { sort: "zeros", sectors: 3000, seed: 1 },
      { sort: "noise", sectors: 3000, seed: 1 },
    ]);
    const [one, other] = [await pack(image), await pack(image)];
    assert.ok(one.stored.equals(other.stored));
    assert.equal(one.written.pack.manifestDigest, other.written.pack.manifestDigest);
    assert.equal(one.written.pack.manifestDigest, createHash("sha256").update(one.manifestBytes).digest("hex"));
    assert.equal(one.written.pack.manifestBytes, one.manifestBytes.length);
  });

  it("tells how far it is, to the end", async () => {
    const told: number[] = [];
    await pack(noise(5 * 2 ** 20 + 512, 1), { onPacked: (bytes) => told.push(bytes) });
    assert.deepEqual(told, [1, 2, 3, 4, 5].map((mib) => mib * 2 ** 20).concat(5 * 2 ** 20 + 512));
  });

  it("is given up when the signal comes, and writes no manifest", async () => {
    const controller = new AbortController();
    const onPacked = () => controller.abort(new Error("enough"));
    await assert.rejects(pack(noise(8 * 2 ** 20, 1), { onPacked, signal: controller.signal }), /enough/);
    assert.ok(!(await readdir(folder)).includes(`${packs - 1}.manifest`));
  });

  it("is not made of an image that the disk gives back as another one", async () => {
    const { path, raw } = await pack(noise(3 * 2 ** 20, 1));
    const file = await open(`${path}.img`, "r+");
    await file.write(Buffer.from([0x55]), 0, 1, 2 * 2 ** 20 + 7);
    await file.close();
    const made = writePack({ ...raw, packPath: `${path}.again`, manifestPath: `${path}.again.manifest` });
    await assert.rejects(made, (error: Failure) => {
      assert.equal(error.reason, "device-error");
      assert.match(error.message, /returned other bytes than were written/);
      assert.match(error.evidence.found ?? "", /byte 2097152 /);
      return true;
    });
    assert.ok(!(await readdir(folder)).includes(`${packs - 1}.again.manifest`));
  });

  it("does not overwrite", async () => {
    const { path, raw } = await pack(noise(512, 1));
    const again = { ...raw, packPath: `${path}.zst`, manifestPath: `${path}.manifest` };
    await assert.rejects(writePack(again), { code: "EEXIST" });
  });
});

/** Frame_Content_Size of RFC 8878 section 3.1.1.1.4; undefined when the frame does not have it. */
function contentBytes(frame: Buffer): number | undefined {
  const descriptor = frame.readUInt8(4);
  const isSingle = (descriptor & 0x20) !== 0;
  const at = isSingle ? 5 : 6;
  switch (descriptor >> 6) {
    case 0:
      return isSingle ? frame.readUInt8(at) : undefined;
    case 1:
      return frame.readUInt16LE(at) + 256;
    default:
      return frame.readUInt32LE(at);
  }
}
