import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import type { Partition } from "../../../../../controller/images/catalogue/image.ts";
import { comparePacks } from "../../../../../controller/images/derive/compare-packs.ts";
import { parseFstab, unknownSources } from "../../../../../controller/images/derive/parse-fstab.ts";
import { parseTreeListing, type TreeEntry } from "../../../../../controller/images/derive/parse-tree-listing.ts";
import { type ImageLayout, planDerivation } from "../../../../../controller/images/derive/plan-derivation.ts";
import { planTreeMoves } from "../../../../../controller/images/derive/plan-tree-moves.ts";
import { renderBootRecord, renderTableScript } from "../../../../../controller/images/derive/render-derived-table.ts";
import { Failure } from "../../../../../proto/failure.ts";
import type { ImageDigest } from "../../../../../proto/pack/digest.ts";
import { parsePackManifest, renderPackManifest } from "../../../../../proto/pack/pack-manifest.ts";

const MiB = 1024 * 1024;

const firmware: Partition = {
  number: 1,
  offsetBytes: MiB,
  lengthBytes: 64 * MiB,
  type: "0c",
  partitionUuid: "11111111-01",
  filesystemType: "vfat",
  label: "BOOTFS",
  uuid: "1111-2222",
};
const root: Partition = {
  number: 2,
  offsetBytes: 65 * MiB,
  lengthBytes: 400 * MiB,
  type: "83",
  partitionUuid: "11111111-02",
  filesystemType: "ext4",
  label: "rootfs",
  uuid: "aaaaaaaa-0000-4000-8000-000000000001",
};
const old: ImageLayout = {
  sizeBytes: 466 * MiB,
  partitionTable: "mbr",
  partitions: [firmware, root],
  rootPartition: 2,
};

describe("the plan of a derivation", () => {
  const refused: readonly (readonly [string, ImageLayout, ImageLayout, RegExp])[] = [
    ["another table", old, { ...old, partitionTable: "gpt" }, /partition table is gpt, but the old one's is mbr/],
    ["fewer partitions", old, { ...old, partitions: [root] }, /has the partitions 2, but the old one has 1, 2/],
    ["another root", old, { ...old, rootPartition: 1 }, /root filesystem is in partition 1, but .* in partition 2/],
    ["another type", old, { ...old, partitions: [{ ...firmware, type: "ef" }, root] }, /partition 1 has the type ef/],
    [
      "another filesystem",
      old,
      { ...old, partitions: [{ ...firmware, filesystemType: "ext4" }, root] },
      /partition 1 holds ext4, but the old one's holds vfat/,
    ],
    ...["btrfs", "squashfs"].map((filesystemType) => {
      const layout = { ...old, partitions: [firmware, { ...root, filesystemType }] };
      return [
        `a root on ${filesystemType}`,
        layout,
        layout,
        /root filesystem is \w+; only ext2, ext3 and ext4/,
      ] as const;
    }),
    [
      "more bytes of something else",
      { ...old, partitions: [{ ...firmware, filesystemType: "swap" }, root] },
      { ...old, partitions: [{ ...firmware, filesystemType: "swap", lengthBytes: 65 * MiB }, root] },
      /partition 1 has 68157440 bytes, but the old one's has 67108864/,
    ],
    [
      "a logical partition that would have to grow",
      { ...old, partitions: [firmware, { ...root, number: 5 }], rootPartition: 5 },
      { ...old, partitions: [firmware, { ...root, number: 5, lengthBytes: 500 * MiB }], rootPartition: 5 },
      /logical partition 5 is larger/,
    ],
  ];
  for (const [what, before, after, says] of refused)
    it(`refuses ${what}, and says what to do instead`, () => {
      assert.throws(
        () => planDerivation(before, after),
        (error: unknown) => {
          assert.ok(error instanceof Failure);
          assert.equal(error.reason, "unsupported");
          assert.match(error.message, says);
          assert.match(error.message, /Add it without deriving: controller images add$/);
          return true;
        },
      );
    });

  it("keeps places and sizes, whatever those of the new image are", () => {
    const next = {
      ...old,
      sizeBytes: 400 * MiB,
      partitions: [
        { ...firmware, offsetBytes: 4 * MiB, lengthBytes: 32 * MiB },
        { ...root, offsetBytes: 36 * MiB, lengthBytes: 300 * MiB, filesystemType: "ext2" },
      ],
    };
    const plan = planDerivation(old, next);
    assert.equal(plan.sizeBytes, old.sizeBytes);
    assert.deepEqual(
      plan.partitions.map((partition) => [partition.how, partition.old.offsetBytes, partition.lengthBytes]),
      [
        ["fat", MiB, 64 * MiB],
        ["ext", 65 * MiB, 400 * MiB],
      ],
    );
  });

  it("lets the last partition grow, and the image with it", () => {
    const next = { ...old, partitions: [firmware, { ...root, lengthBytes: 500 * MiB }] };
    const plan = planDerivation(old, next);
    assert.equal(plan.sizeBytes, 566 * MiB);
    assert.equal(plan.partitions[1]?.lengthBytes, 500 * MiB);
  });
});

describe("what is done to a tree before rsync", () => {
  let inodes = 100;
  const file = (path: string, sizeBytes = 10_000, rest: Partial<TreeEntry> = {}): TreeEntry => ({
    path,
    type: "f",
    inode: String(++inodes),
    links: 1,
    sizeBytes,
    ...rest,
  });
  const folder = (path: string) => file(path, 4096, { type: "d", links: 2 });
  const shared = (inode: string, ...paths: string[]) =>
    paths.map((path) => file(path, 10_000, { inode, links: paths.length }));

  it("separates names that no longer share a file, and leaves the largest party together", () => {
    const moves = planTreeMoves(shared("1", "a", "b", "c", "gone"), [...shared("7", "a", "b"), file("c")]);
    assert.deepEqual(moves.unlink, ["c"]);
    assert.deepEqual(planTreeMoves(shared("1", "a", "b"), [...shared("9", "a", "b", "new")]).unlink, []);
    const symlinks = shared("1", "a", "b").map((entry) => ({ ...entry, type: "l" }));
    assert.deepEqual(planTreeMoves(symlinks, [file("a"), file("b")]).unlink, ["b"]);
  });

  it("renames what moved with a version in its path, or kept its name and size", () => {
    const before = ["lib", "lib/6.1-17", "lib/6.1-17/fs"].map(folder);
    const moves = planTreeMoves(
      [...before, file("lib/6.1-17/fs/ext4.ko"), file("doc/manual", 5_555), file("doc/small", 100)],
      [file("lib/6.1-18/fs/ext4.ko", 10_001), file("share/manual", 5_555), file("share/small", 100)],
    );
    assert.deepEqual(moves.rename, [
      ["lib/6.1-17/fs/ext4.ko", "lib/6.1-18/fs/ext4.ko"],
      ["doc/manual", "share/manual"],
    ]);
    assert.deepEqual(moves.makeFolders, ["lib/6.1-18", "lib/6.1-18/fs", "share"]);
  });

  it("prefers the same size among several", () => {
    const moves = planTreeMoves([file("v1/a", 5000), file("v2/a", 6000)], [file("v3/a", 6000)]);
    assert.deepEqual(moves.rename, [["v2/a", "v3/a"]]);
  });

  it("never goes through what is no folder in the old tree", () => {
    const link = file("lib", 9, { type: "l" });
    assert.deepEqual(planTreeMoves([link, file("lib64/x", 9999)], [file("lib/x", 9999)]), {
      unlink: [],
      makeFolders: [],
      rename: [],
    });
  });

  it("touches only paths that lead through folders, whatever the trees", () => {
    const name = fc.constantFrom("a", "b1", "b2");
    const path = fc.array(name, { minLength: 1, maxLength: 4 }).map((names) => names.join("/"));
    const entry = fc.record({
      path,
      type: fc.constantFrom("f", "d", "l"),
      inode: fc.constantFrom("1", "2", "3", "4"),
      links: fc.integer({ min: 1, max: 3 }),
      sizeBytes: fc.constantFrom(5000, 6000),
    });
    const tree = fc.uniqueArray(entry, { selector: (each) => each.path, maxLength: 20 });
    fc.assert(
      fc.property(tree, tree, (before, after) => {
        const { unlink, makeFolders, rename } = planTreeMoves(before, after);
        const kinds = new Map(before.map((each) => [each.path, each.type]));
        for (const gone of unlink) assert.ok(kinds.has(gone) && kinds.get(gone) !== "d");
        for (const made of makeFolders) assert.ok(!kinds.has(made));
        assert.deepEqual(makeFolders, makeFolders.toSorted());
        const folders = new Set([
          ...makeFolders,
          ...before.filter(({ type }) => type === "d").map((each) => each.path),
        ]);
        for (const [from, to] of rename) {
          assert.equal(kinds.get(from), "f");
          assert.ok(!kinds.has(to));
          for (let slash = to.indexOf("/"); slash >= 0; slash = to.indexOf("/", slash + 1))
            assert.ok(folders.has(to.slice(0, slash)), to);
        }
        assert.equal(new Set(rename.map(([from]) => from)).size, rename.length);
        assert.equal(new Set(rename.map(([, to]) => to)).size, rename.length);
      }),
      { numRuns: 300 },
    );
  });
});

it("a listing of find(1) keeps any name", () => {
  const listing = "d 2 3 4096 \0f 12 1 5 with space\nand line\0l 13 1 4 \xe9\0";
  assert.deepEqual(parseTreeListing(listing), [
    { path: "with space\nand line", type: "f", inode: "12", links: 1, sizeBytes: 5 },
    { path: "\xe9", type: "l", inode: "13", links: 1, sizeBytes: 4 },
  ]);
});

it("an fstab tells where partitions are mounted, by any of their names", () => {
  const partitions = [firmware, root];
  const mounts = (text: string) => parseFstab(text, partitions);
  const there = [{ number: 1, mountpoint: "/boot/firmware" }];
  for (const source of ["PARTUUID=11111111-01", "UUID=1111-2222", 'LABEL="BOOTFS"', "/dev/mmcblk0p1"])
    assert.deepEqual(mounts(`proc /proc proc\n${source}  /boot/firmware vfat defaults 0 2\n`), there, source);
  for (const line of [
    "#PARTUUID=11111111-01 /boot vfat",
    "PARTUUID=11111111-02 / ext4",
    "PARTUUID=11111111-01 /../../etc vfat",
    "PARTUUID=11111111-01 /boot/* vfat",
    "PARTUUID=33333333-01 /boot vfat",
    "LABEL= /boot vfat",
  ])
    assert.deepEqual(mounts(line), [], line);
  assert.deepEqual(
    unknownSources("PARTUUID=33333333-02 / ext4\nUUID=1111-2222 /boot vfat\ntmpfs /tmp tmpfs", partitions),
    ["PARTUUID=33333333-02"],
  );
});

describe("the partition table of a derived image", () => {
  it("of an MBR has the new boot code and id, and the old slots but for a length", () => {
    const [before, after] = [Buffer.alloc(512, 1), Buffer.alloc(512, 2)];
    const record = renderBootRecord(before, after, { lengths: new Map([[2, 500 * MiB]]) });
    assert.ok(record.subarray(0, 444).every((byte) => byte === 2));
    assert.equal(record.readUInt32LE(446 + 16 + 12), (500 * MiB) / 512);
    record.fill(1, 446 + 16 + 12, 446 + 32);
    assert.ok(record.subarray(444).every((byte) => byte === 1));
  });

  it("of a GPT has the new GUIDs, and room to grow", () => {
    const dump = [
      "label: gpt",
      "label-id: AAAAAAAA-0000-4000-8000-000000000000",
      "device: /x/1.raw",
      "unit: sectors",
      "first-lba: 34",
      "last-lba: 99966",
      "sector-size: 512",
      "",
      '/x/1.raw1 : start=        2048, size=        8192, type=EBD0, uuid=AAAAAAAA-0000-4000-8000-000000000001, name="2 : start=5"',
      '/x/1.raw2 : start=       10240, size=       81920, type=0FC6, uuid=AAAAAAAA-0000-4000-8000-000000000002, attrs="GUID:63"',
    ].join("\n");
    const script = renderTableScript(dump, "BBBBBBBB-0000-4000-8000-000000000000", {
      partitionUuids: new Map([
        [1, "bbbbbbbb-0000-4000-8000-000000000001"],
        [2, "bbbbbbbb-0000-4000-8000-000000000002"],
      ]),
      lengths: new Map([[2, 50 * MiB]]),
    });
    assert.deepEqual(script.split("\n"), [
      "label: gpt",
      "label-id: BBBBBBBB-0000-4000-8000-000000000000",
      "unit: sectors",
      "first-lba: 34",
      "",
      '/x/1.raw1 : start=        2048, size=        8192, type=EBD0, uuid=bbbbbbbb-0000-4000-8000-000000000001, name="2 : start=5"',
      '/x/1.raw2 : start=       10240, size=102400, type=0FC6, uuid=bbbbbbbb-0000-4000-8000-000000000002, attrs="GUID:63"',
    ]);
  });
});

it("what a card needs counts chunks that differ, and those that the old image did not use", () => {
  const chunkBytes = 65_536;
  const pack = (kinds: string, digests: string) =>
    parsePackManifest(
      renderPackManifest({
        imageBytes: kinds.length * chunkBytes,
        imageDigest: "00".repeat(32) as ImageDigest,
        chunkBytes,
        kinds: [...kinds].map((kind) => (kind === "d" ? "data" : kind === "z" ? "zero" : "unused")),
        frameBytes: [...kinds].map((_, index) => 1000 + index),
        digests: Buffer.concat([...digests].map((letter) => Buffer.alloc(32, letter))),
      }),
    );
  const before = pack("dddzuu", "abc");
  assert.deepEqual(comparePacks(before, before), { writeBytes: 0, fetchBytes: 0 });
  // Kept; changed; zero now; data now; zero, and unknown before; not needed; longer than before.
  const after = pack("ddzdzud", "axyz");
  assert.deepEqual(comparePacks(before, after), { writeBytes: 5 * chunkBytes, fetchBytes: 1001 + 1003 + 1006 });
});
