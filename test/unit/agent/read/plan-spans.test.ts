import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type DiskPart, planSpans } from "../../../../agent/read/plan-spans.ts";
import { selectZeros } from "../../../../agent/read/select-zeros.ts";

const limits = { spanBytes: 8192, gapBytes: 1024, sectorBytes: 512 };
const parts = (...all: readonly (readonly [number, number])[]): DiskPart[] =>
  all.map(([offsetBytes, lengthBytes]) => ({ offsetBytes, lengthBytes }));
const spansOf = (wanted: readonly DiskPart[], changes: Partial<typeof limits> = {}) =>
  [...planSpans(wanted, { ...limits, ...changes })].map(({ offsetBytes, lengthBytes, wanted: of }) => [
    offsetBytes,
    lengthBytes,
    of.map((part) => [part.offsetBytes, part.lengthBytes]),
  ]);

describe("the spans that are read of a disk", () => {
  it("are one for parts that are near each other", () =>
    assert.deepEqual(spansOf(parts([512, 512], [2048, 512])), [
      [
        512,
        2048,
        [
          [512, 512],
          [2048, 512],
        ],
      ],
    ]));
  it("are several for parts that are far from each other", () =>
    assert.deepEqual(spansOf(parts([0, 512], [4096, 512])), [
      [0, 512, [[0, 512]]],
      [4096, 512, [[4096, 512]]],
    ]));
  it("are no longer than may be, whatever is wanted", () =>
    assert.deepEqual(spansOf(parts([0, 20_480])), [
      [0, 8192, [[0, 8192]]],
      [8192, 8192, [[8192, 8192]]],
      [16_384, 4096, [[16_384, 4096]]],
    ]));
  it("begin and end at the disk's own sectors", () =>
    assert.deepEqual(spansOf(parts([512, 512]), { sectorBytes: 4096 }), [[0, 4096, [[512, 512]]]]));
  it("are none for nothing", () => assert.deepEqual(spansOf([]), []));
  it("hold every wanted byte once, in order", () => {
    const wanted = parts([0, 512], [1024, 9000 * 512], [5_000_192, 1024], [6_000_128, 512]);
    let next = 0;
    const bytes = [...planSpans(wanted, limits)].flatMap(({ offsetBytes, lengthBytes, wanted: of }) => {
      assert.ok(lengthBytes <= limits.spanBytes && offsetBytes % 512 === 0);
      return of.map((part) => {
        assert.ok(part.offsetBytes >= next && part.offsetBytes >= offsetBytes);
        next = part.offsetBytes + part.lengthBytes;
        assert.ok(next <= offsetBytes + lengthBytes);
        return part.lengthBytes;
      });
    });
    assert.equal(
      bytes.reduce((sum, length) => sum + length, 0),
      wanted.reduce((sum, part) => sum + part.lengthBytes, 0),
    );
  });
});

describe("zeros in what was read", () => {
  it("are told apart by blocks", () => {
    const bytes = Buffer.alloc(5 * 4096 + 512);
    bytes.writeUInt8(1, 2 * 4096 + 7);
    assert.deepEqual(selectZeros(bytes), [
      { start: 0, end: 8192, isZero: true },
      { start: 8192, end: 12_288, isZero: false },
      { start: 12_288, end: bytes.length, isZero: true },
    ]);
    assert.deepEqual(selectZeros(Buffer.alloc(0)), []);
  });
});
