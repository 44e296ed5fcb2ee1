// Whatever the image looks like and whatever the disk held: afterwards what is used is there, and the rest untouched.
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { open, readFile } from "node:fs/promises";
import { describe, it } from "node:test";
import fc from "fast-check";
import { verifyImage } from "../../../../agent/write/verify-image.ts";
import { writeImage } from "../../../../agent/write/write-image.ts";
import type { ChunkKind } from "../../../../proto/pack/pack-manifest.ts";
import { anImageServer } from "../fetch/an-image-server.ts";
import { aDiskFile } from "./a-disk-file.ts";
import { aPack } from "./a-pack.ts";
import { anOperation } from "./an-operation.ts";

const sectorBytes = 512;
const diskBytes = 1024 * 1024;

interface Chunk {
  readonly kind: ChunkKind;
  /** What the disk holds in its place. */
  readonly before: "same" | "zeros" | "other";
}

const layouts = fc
  .record({
    chunkBytes: fc.constantFrom(4096, 8192, 16384),
    chunks: fc.array(
      fc.record<Chunk>({
        kind: fc.constantFrom("data", "data", "zero", "unused"),
        before: fc.constantFrom("same", "same", "zeros", "other"),
      }),
      { minLength: 1, maxLength: 60 },
    ),
    /** How many sectors the last chunk has less than the others. */
    lessSectors: fc.nat(7),
    headSectors: fc.integer({ min: 1, max: 80 }),
    full: fc.boolean(),
  })
  .map(({ chunkBytes, chunks, lessSectors, headSectors, full }) => {
    const imageBytes = chunks.length * chunkBytes - Math.min(lessSectors * sectorBytes, chunkBytes - sectorBytes);
    const firstPartitionBytes = Math.min(headSectors * sectorBytes, imageBytes - sectorBytes);
    const headChunks = Math.ceil(firstPartitionBytes / chunkBytes);
    return {
      chunkBytes,
      imageBytes,
      firstPartitionBytes,
      full,
      chunks: chunks.map((chunk, index): Chunk => {
        return index < headChunks && chunk.kind === "unused" ? { ...chunk, kind: "data" } : chunk;
      }),
    };
  })
  .filter(({ firstPartitionBytes }) => firstPartitionBytes >= sectorBytes);

describe("writeImage", () => {
  it("leaves every used byte as in the image and every other byte as it was", async (test) => {
    const disk = await aDiskFile(test, diskBytes);
    let pack = aPack(randomBytes(8192), { chunkBytes: 4096, firstPartitionBytes: 512 });
    let askedBytes = 0;
    const server = await anImageServer(
      test,
      Buffer.alloc(0),
      () => ({ content: pack.pack }),
      () => pack.manifest,
    );
    await fc.assert(
      fc.asyncProperty(layouts, async ({ chunkBytes, imageBytes, firstPartitionBytes, chunks, full }) => {
        const image = randomBytes(imageBytes);
        const before = randomBytes(diskBytes);
        for (const [index, { kind, before: held }] of chunks.entries()) {
          const [start, end] = [index * chunkBytes, Math.min((index + 1) * chunkBytes, imageBytes)];
          if (kind === "zero") image.fill(0, start, end);
          if (held === "zeros") before.fill(0, start, end);
          if (held === "same") before.set(image.subarray(start, end), start);
        }
        const handle = await open(disk.path, "r+");
        await handle.write(before, 0, before.length, 0);
        await handle.close();
        pack = aPack(image, { chunkBytes, firstPartitionBytes, kindOf: (chunk) => chunks[chunk]?.kind ?? "data" });

        const source = pack.sourceAt(server);
        const operation = anOperation();
        await writeImage({ device: disk.path, source, full }, disk.parts, operation.context);
        const after = await readFile(disk.path);
        const expected = Buffer.from(before);
        for (const [index, { kind }] of chunks.entries()) {
          const [start, end] = [index * chunkBytes, Math.min((index + 1) * chunkBytes, imageBytes)];
          if (kind !== "unused") expected.set(image.subarray(start, end), start);
        }
        assert.ok(after.equals(expected), "the disk holds something else");
        const { written, skipped, verified, read } = operation.progress();
        assert.equal(written.done + skipped.done, imageBytes);
        assert.deepEqual([written.done, skipped.done, read.done], [written.total, skipped.total, read.total]);
        assert.deepEqual(verified, { done: pack.usedBytes, total: pack.usedBytes });

        await verifyImage({ device: disk.path, source }, disk.parts, anOperation().context);

        askedBytes = server.askedBytes();
        const again = anOperation();
        await writeImage({ device: disk.path, source, full: false }, disk.parts, again.context);
        assert.ok((await readFile(disk.path)).equals(expected), "the second write has changed something");
        assert.equal(again.progress().written.done, 0);
        assert.equal(server.askedBytes(), askedBytes);
      }),
      { numRuns: 25 },
    );
  });
});
