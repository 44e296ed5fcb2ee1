import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { describe, it } from "node:test";
import fc from "fast-check";
import { extentOf } from "../../../../../controller/images/block-map/block-map.ts";
import { parseBlockMap } from "../../../../../controller/images/block-map/parse-block-map.ts";
import { Failure } from "../../../../../proto/failure.ts";
import { goldenFile } from "../../../../golden.ts";
import { type BlockMapText, renderBlockMap } from "./a-block-map.ts";

const golden = goldenFile("images/mapped.img.bmap");

const sample: BlockMapText = {
  imageBytes: 100 * 4096,
  blockBytes: 4096,
  ranges: [
    { first: 0, last: 3, checksum: "ab".repeat(32) },
    { first: 7, last: 7 },
    { first: 90, last: 99 },
  ],
};

/** Block maps of any shape. */
const maps: fc.Arbitrary<BlockMapText> = fc
  .record({
    version: fc.constantFrom("1.3", "1.4", "2.0"),
    checksumType: fc.constantFrom("sha1", "sha256", "sha384", "sha512"),
    blockBytes: fc.integer({ min: 1, max: 2 ** 20 }),
    lengths: fc.array(fc.record({ hole: fc.nat({ max: 50 }), mapped: fc.integer({ min: 1, max: 50 }) })),
    hasChecksums: fc.boolean(),
    tail: fc.nat({ max: 20 }),
    partOfBlock: fc.double({ min: 0, max: 0.99, noNaN: true }),
  })
  .map(({ version, checksumType, blockBytes, lengths, hasChecksums, tail, partOfBlock }) => {
    const type = version === "1.3" ? "sha1" : checksumType;
    let block = 0;
    const ranges = lengths.map(({ hole, mapped }, index) => {
      const first = block + hole + (index === 0 ? 0 : 1);
      block = first + mapped - 1;
      const checksum = createHash(type).update(`${index}`).digest("hex");
      return { first, last: block, ...(hasChecksums && { checksum }) };
    });
    const imageBytes = (block + 1 + tail) * blockBytes - Math.floor(partOfBlock * blockBytes);
    return { version, checksumType: type, blockBytes, imageBytes, ranges };
  });

describe("a block map", () => {
  it("is read as bmaptool 3.6 wrote it", async () => {
    const map = parseBlockMap(await readFile(golden));
    assert.partialDeepStrictEqual(map, { imageBytes: 300 * 4096 + 512, blockBytes: 4096, checksumType: "sha256" });
    assert.deepEqual(
      map.ranges.map(({ first, last }) => [first, last]),
      [
        [0, 3],
        [17, 17],
        [100, 102],
        [299, 300],
      ],
    );
    assert.ok(map.ranges.every(({ checksum }) => /^[0-9a-f]{64}$/.test(checksum ?? "")));
  });

  it("of every format that bmaptool has had with checksums is read as it was written", () => {
    fc.assert(
      fc.property(maps, (map) => {
        const { version: _, ...expected } = map;
        assert.deepEqual(parseBlockMap(renderBlockMap(map)), expected);
      }),
    );
  });

  it("gives ranges in bytes; the last block may be cut short", () => {
    const ranges = [
      { first: 0, last: 0 },
      { first: 2, last: 2 },
    ];
    const map = parseBlockMap(renderBlockMap({ imageBytes: 10_000, blockBytes: 4096, ranges }));
    assert.deepEqual(
      map.ranges.map((range) => extentOf(map, range)),
      [
        { start: 0, end: 4096 },
        { start: 8192, end: 8192 + 1808 },
      ],
    );
  });

  it("is read or refused with what is wrong, however it was altered", () => {
    const text = renderBlockMap(sample).toString();
    const change = fc.record({
      at: fc.nat({ max: text.length }),
      length: fc.nat({ max: 12 }),
      by: fc.oneof(
        fc.string({ maxLength: 8 }),
        fc.constantFrom("<", ">", "&amp;", "<Range>", "</BlockMap>", "-1", "\0"),
      ),
      isSigned: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.oneof(change, fc.string({ unit: "binary" })), (input) => {
        try {
          if (typeof input === "string") parseBlockMap(Buffer.from(input));
          else {
            const altered = (from: string) => from.slice(0, input.at) + input.by + from.slice(input.at + input.length);
            const map = parseBlockMap(
              input.isSigned
                ? renderBlockMap(sample, altered)
                : Buffer.from(altered(renderBlockMap(sample).toString())),
            );
            for (const { first, last } of map.ranges)
              assert.ok(first <= last && last * map.blockBytes < map.imageBytes);
          }
        } catch (error) {
          assert.ok(error instanceof Failure, String(error));
          assert.ok(error.reason === "image-damaged" || error.reason === "unsupported");
          assert.match(error.message, /block map/);
        }
      }),
      { numRuns: 1000 },
    );
  });

  const faults: readonly (readonly [string, (text: string) => string, RegExp])[] = [
    ["lacks its size", (text) => text.replace(/ *<ImageSize>.*\n/, ""), /it has no ImageSize/],
    ["lacks its block size", (text) => text.replace(/ *<BlockSize>.*\n/, ""), /it has no BlockSize/],
    ["lacks its map", (text) => text.replace(/ {4}<BlockMap>(.|\n)*<\/BlockMap>\n/, ""), /it has no BlockMap/],
    ["lacks the type of its checksums", (text) => text.replace(/ *<ChecksumType>.*\n/, ""), /it has no ChecksumType/],
    ["has blocks of no bytes", (text) => text.replace("> 4096 <", "> 0 <"), /BlockSize is 0/],
    [
      "has a size that is no number",
      (text) => text.replace("409600", "0x64000"),
      /ImageSize "0x64000" is not a number/,
    ],
    [
      "has a size beyond numbers",
      (text) => text.replace("409600", "9".repeat(16)),
      /ImageSize "9{16}" is not a number/,
    ],
    ["has two sizes", (text) => text.replace(/( *<ImageSize>.*\n)/, "$1$1"), /two ImageSize elements/],
    ["counts its blocks wrong", (text) => text.replace("> 100 <", "> 99 <"), /ImageSize, BlockSize and BlocksCount/],
    ["counts its mapped blocks wrong", (text) => text.replace("> 15 ", "> 16 "), /map 15 blocks, but .* says 16/],
    [
      "has a range that is none",
      (text) => text.replace("> 90-99 <", "> 90-95-99 <"),
      /Range "90-95-99" is not a range/,
    ],
    ["has a range of words", (text) => text.replace("> 90-99 <", "> all <"), /Range "all" is not a number/],
    ["has an empty range", (text) => text.replace("> 90-99 <", "><"), /Range "" is not a number/],
    ["has a range backwards", (text) => text.replace("> 90-99 <", "> 99-90 <"), /"99-90" ends before it starts/],
    ["has ranges that overlap", (text) => text.replace("> 7 <", "> 3 <"), /Range "3" does not follow the one before/],
    ["has a range beyond its end", (text) => text.replace("90-99", "90-100"), /"90-100" extends past the 100 blocks/],
    ["has half a checksum", (text) => text.replace('="abab', '="'), /chksum of its Range "0-3" is not a sha256/],
    [
      "has checksums of no known kind",
      (text) => text.replace("> sha256 <", "> md5 <"),
      /ChecksumType "md5" is not one of sha1/,
    ],
    [
      "is of a format without checksums",
      (text) => text.replace('"2.0"', '"1.2"'),
      /format version "1.2", but only 1.3 to 2.0/,
    ],
    ["is of a newer format", (text) => text.replace('"2.0"', '"3.0"'), /format version "3.0"/],
    ["says no format", (text) => text.replace(' version="2.0"', ""), /format version ""/],
    [
      "is another document",
      (text) => text.replaceAll("bmap version", "html version").replace("</bmap", "</html"),
      /root element is html/,
    ],
    [
      "defines entities, of which a small file can make a large one",
      (text) => text.replace("<bmap", '<!DOCTYPE bmap [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]>\n<bmap'),
      /DOCTYPE/,
    ],
    ["uses an unknown entity", (text) => text.replace("> 7 <", "> &b; <"), /not XML: Invalid character entity/],
    ["is cut short", (text) => text.slice(0, -20), /not XML: Unclosed root tag/],
  ];
  for (const [title, change, message] of faults) {
    it(`is refused when it ${title}`, () => {
      assert.throws(
        () => parseBlockMap(renderBlockMap(sample, change)),
        (error) => {
          assert.ok(error instanceof Failure, String(error));
          assert.match(error.message, message);
          return true;
        },
      );
    });
  }

  it("is refused when its checksum is not that of the file, with both", () => {
    const altered = Buffer.from(renderBlockMap(sample).toString().replace("> 90-99 <", "> 80-89 <"));
    assert.throws(
      () => parseBlockMap(altered),
      (error) => {
        assert.ok(error instanceof Failure);
        assert.match(error.message, /was altered or cut short: its BmapFileChecksum does not match/);
        assert.match(error.evidence.found ?? "", /^[0-9a-f]{64}$/);
        return true;
      },
    );
  });

  it("is refused when its checksum is none", () => {
    const text = renderBlockMap(sample).toString();
    const without = text.replace(/<BmapFileChecksum> [0-9a-f]+/, "<BmapFileChecksum> ");
    assert.throws(() => parseBlockMap(Buffer.from(without)), /BmapFileChecksum is not a sha256/);
    const old = renderBlockMap({ ...sample, version: "1.3", ranges: [] }, (from) => from.replaceAll("SHA1", "MD5"));
    assert.throws(() => parseBlockMap(old), /it has no BmapFileSHA1/);
  });

  it("is refused when it is too large, or no text", () => {
    assert.throws(() => parseBlockMap(Buffer.alloc(2 * 1024 * 1024 + 1, " ")), /too large/);
    assert.throws(() => parseBlockMap(Buffer.from([0x3c, 0xff, 0xfe])), /not UTF-8/);
    assert.throws(() => parseBlockMap(Buffer.alloc(0)), /no XML|empty/);
  });

  it("with elements nested a hundred thousand deep is refused in good time", () => {
    const deep = Buffer.from(`<bmap version="2.0">${"<a>".repeat(100_000)}`);
    assert.throws(() => parseBlockMap(deep), /not XML: Unclosed root tag/);
  });
});
