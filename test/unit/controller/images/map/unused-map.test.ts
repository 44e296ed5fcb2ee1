import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { createRunCollector, type Extent, subtract, toExtents } from "../../../../../controller/images/map/extents.ts";
import { createChunkClassifier, planUnused } from "../../../../../controller/images/map/unused-map.ts";

const size = 256;
const extent: fc.Arbitrary<Extent> = fc
  .tuple(fc.nat({ max: size }), fc.nat({ max: size }))
  .map(([a, b]) => ({ start: Math.min(a, b), end: Math.max(a, b) }));
const extents = fc.array(extent, { maxLength: 12 });

/** The bytes of extents, one by one. */
function bytesOf(list: readonly Extent[]): Set<number> {
  const bytes = new Set<number>();
  for (const { start, end } of list) for (let at = start; at < end; at += 1) bytes.add(at);
  return bytes;
}

function without(bytes: Set<number>, others: Set<number>): Set<number> {
  return new Set([...bytes].filter((byte) => !others.has(byte)));
}

describe("extents", () => {
  it("are brought into order without losing or adding a byte", () => {
    fc.assert(
      fc.property(extents, extents, (one, other) => {
        const list = toExtents(one, other);
        assert.deepEqual(bytesOf(list), new Set([...bytesOf([...one, ...other])].sort((a, b) => a - b)));
        for (const [index, { start, end }] of list.entries()) {
          assert.ok(start < end && start > (list[index - 1]?.end ?? -1));
        }
      }),
    );
  });

  it("are taken from each other byte by byte", () => {
    fc.assert(
      fc.property(extents, extents, (one, other) => {
        const left = subtract(toExtents(one), toExtents(other));
        assert.deepEqual(bytesOf(left), without(bytesOf(toExtents(one)), bytesOf(other)));
        assert.deepEqual(left, toExtents(left));
      }),
    );
  });

  it("of free blocks are kept as far as they can fill chunks", () => {
    const chunkBytes = 16;
    fc.assert(
      fc.property(fc.uniqueArray(fc.nat({ max: 127 })), fc.nat({ max: 3 }), (blocks, shift) => {
        const collector = createRunCollector(chunkBytes);
        const all = blocks
          .sort((a, b) => a - b)
          .map((block) => ({ start: 2 * block + shift, end: 2 * block + 2 + shift }));
        for (const { start, end } of all) collector.add(start, end);
        const [kept, free] = [bytesOf(collector.runs()), bytesOf(all)];
        assert.equal(without(kept, free).size, 0);
        assert.deepEqual(collector.runs(), toExtents(collector.runs()));
        for (let chunk = 0; chunk < size; chunk += chunkBytes) {
          const bytes = bytesOf([{ start: chunk, end: chunk + chunkBytes }]);
          assert.equal(without(bytes, kept).size === 0, without(bytes, free).size === 0, `chunk at ${chunk}`);
        }
      }),
    );
  });

  it("of blocks scattered over a large filesystem are few", () => {
    const collector = createRunCollector(65_536);
    for (let block = 0; block < 1_000_000; block += 2) collector.add(block * 512, (block + 1) * 512);
    assert.ok(collector.runs().length <= 2 * Math.ceil((1_000_000 * 512) / 65_536));
  });
});

describe("what is unused", () => {
  const chunkBytes = 16;

  it("agrees with going through the image byte by byte: only what the books call free is left out", () => {
    const content = fc.array(fc.constantFrom(0, 0, 0, 0, 1), { minLength: size, maxLength: size });
    fc.assert(
      fc.property(fc.array(extents, { maxLength: 3 }), content, extents, (books, bytes, zeros) => {
        const image = Buffer.from(bytes);
        for (const each of zeros) image.fill(0, each.start, each.end);
        const classify = createChunkClassifier(
          planUnused(books.map((free) => ({ start: 0, end: size, free: toExtents(free) }))),
        );
        const free = bytesOf(books.flat());
        for (let start = 0; start < size; start += chunkBytes) {
          const chunk = image.subarray(start, start + chunkBytes);
          const isFree = chunk.every((_, index) => free.has(start + index));
          const expected = isFree ? "unused" : chunk.every((byte) => byte === 0) ? "zero" : "data";
          assert.equal(classify(start, chunk), expected, `chunk at ${start}`);
        }
      }),
      { numRuns: 500 },
    );
  });

  const zero = Buffer.alloc(16);
  const full = Buffer.alloc(16, 1);
  const cases: readonly (readonly [string, number, Buffer, string])[] = [
    ["zeros before the first partition", 16, zero, "zero"],
    ["zeros between partitions, where a card may have an extended boot record", 128, zero, "zero"],
    ["content between partitions, as an extended boot record is", 128, full, "data"],
    ["zeros behind the last partition, where a card may have the label of a RAID", 240, zero, "zero"],
    ["zeros behind a filesystem in its partition, as above", 100, zero, "zero"],
    ["what a filesystem has free, whatever it holds", 64, full, "unused"],
    ["a chunk that a filesystem has free but for its last byte", 81, full, "data"],
    ["zeros in a block that a filesystem uses", 48, zero, "zero"],
    ["zeros in a partition that nobody understands, in a hole of the block map or not", 160, zero, "zero"],
  ];
  for (const [title, offset, bytes, expected] of cases) {
    it(`${title}: ${expected}`, () => {
      const free = planUnused([{ start: 40, end: 96, free: [{ start: 64, end: 96 }] }]);
      assert.equal(createChunkClassifier(free)(offset, bytes), expected);
    });
  }
});
