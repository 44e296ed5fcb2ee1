import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, truncate } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { execa } from "execa";
import fc from "fast-check";
import { toExtents } from "../../../../../controller/images/map/extents.ts";
import { parseFatUsage } from "../../../../../controller/images/map/parse-fat-usage.ts";
import { Failure } from "../../../../../proto/failure.ts";

const lengthBytes = 2 * 1024 * 1024;
const chunkBytes = 4096;
let folder: string;
let fat: Buffer;

before(async () => {
  folder = await mkdtemp(join(tmpdir(), "pallet-fat-"));
  const path = join(folder, "fat");
  await execa("mkfs.vfat", ["-C", "-F", "12", "-s", "4", path, `${lengthBytes / 1024}`], {
    env: { PATH: `${process.env["PATH"]}:/usr/sbin:/sbin` },
  });
  await truncate(path, lengthBytes);
  fat = await readFile(path);
});
after(() => rm(folder, { recursive: true }));

const usageOf = (image: Buffer) =>
  parseFatUsage((offset, length) => image.subarray(offset, offset + length), {
    offsetBytes: 0,
    lengthBytes,
    chunkBytes,
  });

describe("a FAT's allocation table", () => {
  it("tells which clusters are free, to the last one", () => {
    const { start, end, free } = usageOf(fat);
    assert.equal(start, 0);
    assert.equal(free.length, 1);
    assert.equal(free[0]?.end, end);
    assert.ok(end > lengthBytes - 2048 && end <= lengthBytes);
  });

  it("names no bytes outside the filesystem, whatever stands in it", () => {
    const change = fc.record({ at: fc.nat({ max: 70 }), value: fc.integer({ min: 0, max: 255 }) });
    const inTable = fc.record({ at: fc.integer({ min: 512, max: 4096 }), value: fc.integer({ min: 0, max: 255 }) });
    let refused = 0;
    fc.assert(
      fc.property(fc.array(fc.oneof(change, inTable), { minLength: 1, maxLength: 4 }), (changes) => {
        const image = Buffer.from(fat);
        for (const { at, value } of changes) image.writeUInt8(value, at);
        try {
          const { end, free } = usageOf(image);
          assert.ok(end <= lengthBytes);
          assert.deepEqual(free, toExtents(free));
          for (const extent of free) assert.ok(extent.start > 512 && extent.end <= end);
        } catch (error) {
          assert.ok(error instanceof Failure, `${error}`);
          refused += 1;
        }
      }),
      { numRuns: 500 },
    );
    assert.ok(refused > 50, `only ${refused} were refused`);
  });
});
