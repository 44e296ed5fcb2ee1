import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import {
  type CoverageFacts,
  type JudgedPartition,
  judgePartitions,
} from "../../../../../controller/images/map/judge-partitions.ts";
import { parseVeritySuperblock } from "../../../../../controller/images/map/parse-verity.ts";
import { verityTypes } from "../../../../../controller/images/map/verity-partition-types.ts";
import { aVeritySuperblock } from "./a-verity-superblock.ts";

const MiB = 2 ** 20;
const linux = "0fc63daf-8483-4772-8e79-3d69d8477de4";
const rootArm64 = "b921b045-1df0-41c3-af44-4c6f280d3fae";
const rootArm64Verity = "df3300ce-d69f-4c92-978c-9bfb0f38d820";

const partition = (number: number, more: Partial<JudgedPartition> = {}): JudgedPartition => ({
  ...{ number, offsetBytes: number * 10 * MiB, lengthBytes: number * MiB, type: linux, filesystemType: "ext4" },
  ...more,
});
const usageOf = ({ offsetBytes: start, lengthBytes }: JudgedPartition, behindBytes = 0) => ({
  ...{ start, end: start + lengthBytes - behindBytes },
  free: [],
});

/** A boot, a root and a third partition; the first two have books. */
function facts(more: Partial<CoverageFacts> = {}, third: Partial<JudgedPartition> = {}): CoverageFacts {
  const partitions = [partition(1, { filesystemType: "vfat" }), partition(2), partition(3, third)];
  return {
    partitions,
    booked: partitions.slice(0, 2).map((each) => ({ number: each.number, usage: usageOf(each) })),
    ...{ unrecognised: [], verity: [], commandLine: "", hashTables: [], everything: false },
    ...more,
  };
}

describe("whether a partition counts whole", () => {
  const behind = [
    { number: 1, usage: usageOf(partition(1)) },
    { number: 2, usage: usageOf(partition(2), MiB / 2), firstBehind: 21.5 * MiB },
  ];
  /** What is known; the numbers of the partitions that count whole; what is said of the last of them. */
  const cases: readonly (readonly [string, CoverageFacts, readonly number[], RegExp])[] = [
    ["nothing is there but filesystems", facts(), [], /^$/],
    [
      "something lies behind its filesystem",
      facts({ booked: behind }),
      [2],
      /at byte 1572864 .* hashes or a signature/,
    ],
    [
      "dm-verity's superblock lies behind its filesystem",
      facts({ booked: behind, verity: [{ offsetBytes: 21.5 * MiB, dataBytes: 1.5 * MiB }] }),
      [2],
      /behind its filesystem, at byte 1572864 of the partition, is a dm-verity hash tree/,
    ],
    [
      "a hash tree elsewhere is of the size of the partition",
      facts({ verity: [{ offsetBytes: 30 * MiB, dataBytes: 2 * MiB }] }, { filesystemType: "DM_verity_hash" }),
      [2],
      /hash tree at byte 31457280 of the image is of its size/,
    ],
    [
      "a hash tree elsewhere is of the size of the filesystem",
      facts({
        booked: [{ number: 2, usage: usageOf(partition(2), MiB / 2) }],
        verity: [{ offsetBytes: 5 * MiB, dataBytes: 1.5 * MiB }],
      }),
      [2],
      /is of its size/,
    ],
    ["a hash tree fits none", facts({ verity: [{ offsetBytes: 512, dataBytes: 77 }] }), [1, 2], /of any partition/],
    ["a hash tree makes no sense", facts({ verity: [{ offsetBytes: 512 }] }), [1, 2], /of any partition/],
    ["blkid calls another one hashes", facts({}, { filesystemType: "DM_verity_hash" }), [1, 2], /3 holds hashes/],
    ["another one holds something unknown", facts({ unrecognised: [3] }, { filesystemType: "" }), [1, 2], /unknown/],
    ["another one is for hashes by its type", facts({}, { type: rootArm64Verity }), [1, 2], /3 is for .* by its type/],
    [
      "another one is for hashes by its type, of a partition that is there",
      {
        ...facts({ unrecognised: [3] }),
        partitions: [partition(1), partition(2, { type: rootArm64 }), partition(3, { type: rootArm64Verity })],
      },
      [2],
      /3 is for dm-verity's hashes of it/,
    ],
    ["/etc/veritytab sets some up", facts({ hashTables: ["/etc/veritytab"] }), [1, 2], /\/etc\/veritytab in the image/],
    ["everything was wanted", facts({ everything: true }), [1, 2], /--everything/],
    ...[
      "quiet roothash=4f2a rw",
      "usrhash=4f2a",
      "systemd.verity_root_data=/dev/mmcblk0p2",
      "rd.systemd.verity=1",
      'dm-mod.create="vroot,,,ro,0 4096 verity 1 /dev/mmcblk0p2"',
      '"dm-mod.create=vroot,,,ro,0 4096 verity"',
      "dm=1,vroot,none,ro,1,0",
      "androidboot.veritymode=enforcing",
      "androidboot.vbmeta.digest=4f2a",
      "dm_verity.require_signatures=1",
    ].map(
      (commandLine) =>
        [`the command line has ${commandLine}`, facts({ commandLine }), [1, 2], /= in the image's kernel/] as const,
    ),
    ["the command line has none of these", facts({ commandLine: "root=/dev/dm-0 xroothash=1 admin=1" }), [], /^$/],
  ];
  for (const [title, given, expected, why] of cases) {
    it(`is decided when ${title}`, () => {
      const whole = judgePartitions(given);
      assert.deepEqual([...whole.keys()], expected);
      assert.match([...whole.values()].at(-1)?.why ?? "", why);
    });
  }

  it("is for certain only where a hash tree or a type fits", () => {
    const certain = cases.filter(([, given]) => [...judgePartitions(given).values()].some(({ isHashed }) => isHashed));
    assert.deepEqual(
      certain.map(([title]) => title),
      [
        "dm-verity's superblock lies behind its filesystem",
        "a hash tree elsewhere is of the size of the partition",
        "a hash tree elsewhere is of the size of the filesystem",
        "another one is for hashes by its type, of a partition that is there",
      ],
    );
    const hashed = facts({ booked: behind, verity: [{ offsetBytes: 21.5 * MiB, dataBytes: 1.5 * MiB }] });
    const all = judgePartitions({ ...hashed, everything: true });
    assert.deepEqual(
      [...all.values()].map(({ isHashed }) => isHashed),
      [false, true],
    );
  });

  it("is decided for every type of hashes, and no two have one", () => {
    const all = verityTypes.flatMap(({ data, hashes }) => [data, ...hashes]);
    assert.equal(new Set(all).size, all.length);
    for (const { data, hashes } of verityTypes) {
      for (const type of hashes) {
        const given = { ...facts(), partitions: [partition(1), partition(2, { type: data }), partition(3, { type })] };
        assert.deepEqual([...judgePartitions(given).keys()], [2], type);
      }
    }
  });
});

describe("a superblock of dm-verity", () => {
  it("says how much the tree covers", () => {
    assert.deepEqual(parseVeritySuperblock(aVeritySuperblock(2 * MiB), 512), { offsetBytes: 512, dataBytes: 2 * MiB });
  });

  it("says nothing or a size, whatever is in it", () => {
    const change = fc.record({ at: fc.integer({ min: 8, max: 90 }), value: fc.integer({ min: 0, max: 255 }) });
    fc.assert(
      fc.property(fc.array(change, { maxLength: 6 }), fc.nat({ max: 512 }), (changes, length) => {
        const bytes = aVeritySuperblock(2 * MiB);
        for (const { at, value } of changes) bytes.writeUInt8(value, at);
        const { dataBytes = 512 } = parseVeritySuperblock(bytes.subarray(0, length), 0);
        assert.ok(Number.isSafeInteger(dataBytes) && dataBytes > 0);
      }),
    );
  });
});
