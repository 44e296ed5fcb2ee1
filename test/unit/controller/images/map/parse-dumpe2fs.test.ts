import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { toExtents } from "../../../../../controller/images/map/extents.ts";
import { parseDumpe2fs } from "../../../../../controller/images/map/parse-dumpe2fs.ts";
import { Failure } from "../../../../../proto/failure.ts";

/** What dumpe2fs 1.47.0 says, without most of the fields of its header. */
const said = `Filesystem volume name:   Free blocks: 7
Filesystem features:      has_journal ext_attr resize_inode dir_index filetype extent 64bit flex_bg sparse_super
Filesystem state:         clean
Block count:              60
Free blocks:              26
First block:              1
Block size:               1024
Journal features:         (none)


Group 0: (Blocks 1-32) csum 0x49e2 [ITABLE_ZEROED]
  Primary superblock at 1, Group descriptors at 2-2
  4160 free blocks, 1861 free inodes, 2 directories, 1861 unused inodes
  Free blocks: 5, 8-32
  Free inodes: 12-1872
Group 1: (Blocks 33-59) csum 0x6e41 [INODE_UNINIT, BLOCK_UNINIT, ITABLE_ZEROED]
  Free blocks: 
  Free inodes: 
`;
const frame = { offsetBytes: 1024, lengthBytes: 60 * 1024, chunkBytes: 1024 };

describe("what dumpe2fs says", () => {
  it("is read group by group", () => {
    assert.deepEqual(parseDumpe2fs(said, frame), {
      start: 1024,
      end: 1024 + 60 * 1024,
      free: [
        { start: 6 * 1024, end: 7 * 1024 },
        { start: 9 * 1024, end: 34 * 1024 },
      ],
    });
  });

  const faults: readonly (readonly [string, (text: string) => string, RegExp])[] = [
    ["of a mounted filesystem", (text) => text.replace("  clean", "  not clean"), /"not clean"/],
    ["of a journal to be played back", (text) => text.replace("ext_attr", "needs_recovery"), /needs_recovery/],
    ["of files that were deleted while open", (text) => text.replace("ext_attr", "orphan_present"), /orphan_present/],
    ["of clusters", (text) => text.replace("flex_bg", "bigalloc"), /bigalloc/],
    ["of a filesystem larger than its partition", (text) => text.replace("  60\n", "  61\n"), /larger \(62464 bytes\)/],
    ["of blocks outside the filesystem", (text) => text.replace("8-32", "8-60"), /lists "8-60"/],
    ["of blocks twice", (text) => text.replace("5, 8", "9, 8"), /lists "8-32"/],
    ["of ranges backwards", (text) => text.replace("8-32", "32-8"), /lists "32-8"/],
    ["of blocks that are none", (text) => text.replace("8-32", "some"), /lists "some"/],
    ["of another count than its bitmaps", (text) => text.replace("  26\n", "  25\n"), /26 free blocks, but .* 25/],
    ["of fewer bitmaps than groups", (text) => text.replace("  Free blocks: \n", ""), /1 of 2 block bitmaps/],
    ["of no groups", (text) => text.slice(0, text.indexOf("Group 0")), /0 of 0 block bitmaps/],
    ["without a block size", (text) => text.replace(/Block size.*\n/, ""), /no "Block size"/],
    ["nothing", () => "", /state is "unknown"/],
  ];
  for (const [title, change, message] of faults) {
    it(`does not count when it is ${title}`, () => {
      assert.throws(
        () => parseDumpe2fs(change(said), frame),
        (error) => {
          assert.ok(error instanceof Failure, String(error));
          assert.match(error.message, message);
          return true;
        },
      );
    });
  }

  it("is read or refused, whatever it is, and never names bytes outside the filesystem", () => {
    const change = fc.record({ at: fc.nat({ max: said.length }), length: fc.nat({ max: 9 }), by: fc.string() });
    fc.assert(
      fc.property(fc.array(change, { minLength: 1, maxLength: 3 }), (changes) => {
        let text = said;
        for (const { at, length, by } of changes) text = text.slice(0, at) + by + text.slice(at + length);
        try {
          const { start, end, free } = parseDumpe2fs(text, frame);
          assert.ok(start === 1024 && end <= 1024 + frame.lengthBytes);
          assert.deepEqual(free, toExtents(free));
          for (const extent of free) assert.ok(extent.start >= start && extent.end <= end);
        } catch (error) {
          assert.ok(error instanceof Failure, String(error));
        }
      }),
      { numRuns: 1000 },
    );
  });
});
