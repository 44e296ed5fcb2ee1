import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { crc32, deflateRawSync } from "node:zlib";
import fc from "fast-check";
import { parseDiskParts, parseDiskToRead } from "../../../agent/rpc/parse-disk-read.ts";
import { detectKernelFormat, parseInitrdReleases } from "../../../controller/artefacts/parse-kernel.ts";
import { imageFileFor, sharedFileFor, withoutOurSettings } from "../../../controller/boot/render-image-config.ts";
import { parseCaptureSource } from "../../../controller/cli/commands/parse-capture-source.ts";
import { parseBlockMap } from "../../../controller/images/block-map/parse-block-map.ts";
import { chooseBootCandidates } from "../../../controller/images/boot/choose-boot-files.ts";
import { chooseFirmwareBoots } from "../../../controller/images/boot/choose-firmware-boot.ts";
import { expandIncludes } from "../../../controller/images/boot/expand-includes.ts";
import { judgeKernelOrigin } from "../../../controller/images/boot/judge-kernel-origin.ts";
import { parseConfigTxt } from "../../../controller/images/boot/parse-config-txt.ts";
import { kernelFormatOf } from "../../../controller/images/boot/read-kernel-format.ts";
import { selectFirmwareFiles } from "../../../controller/images/boot/select-firmware-files.ts";
import { followParts } from "../../../controller/images/capture/follow-parts.ts";
import { parseExtBooks } from "../../../controller/images/capture/parse-ext-books.ts";
import { withoutHostName } from "../../../controller/images/capture/plan-removals.ts";
import { parseFatFolder } from "../../../controller/images/filesystems/fat/parse-fat-folder.ts";
import { readFat } from "../../../controller/images/filesystems/fat/read-fat.ts";
import { parseBlockRuns, parseFolderEntries } from "../../../controller/images/filesystems/parse-debugfs.ts";
import { assertUncompressed, detectFormat } from "../../../controller/images/formats/detect-format.ts";
import { parsePartitionTable } from "../../../controller/images/formats/parse-partition-table.ts";
import { unzip } from "../../../controller/images/formats/unzip.ts";
import { parseDumpe2fs } from "../../../controller/images/map/parse-dumpe2fs.ts";
import { parseFatUsage } from "../../../controller/images/map/parse-fat-usage.ts";
import { isVeritySuperblock, parseVeritySuperblock, verityMagic } from "../../../controller/images/map/parse-verity.ts";
import { pieceFromWire } from "../../../controller/rpc/agent/read-disk.ts";
import { maxImageBytes } from "../../../proto/pack/image-bounds.ts";
import { parsePackManifest, renderPackManifest } from "../../../proto/pack/pack-manifest.ts";
import { parseKernelRelease } from "../../../proto/system/parse-kernel-release.ts";
import { renderBlockMap } from "../../unit/controller/images/block-map/a-block-map.ts";
import { family, unlessRefused, unlessRejected } from "../frame/family.ts";
import { mutatedBytes, mutatedFields, mutatedText } from "../frame/mutations.ts";
import { fatImage, gptImage, mbrImage, sealGpt } from "./samples.ts";

const MiB = 1024 * 1024;
/** Most that a parser of metadata may ask of an image, in bytes. */
const mostRead = 256 * MiB;

/** An image that begins with these bytes and is zero from there on, and counts what is read of it. */
function sparse(start: Buffer, imageBytes: number) {
  let asked = 0;
  const read = (offsetBytes: number, lengthBytes: number): Buffer => {
    assert.ok(Number.isSafeInteger(offsetBytes) && offsetBytes >= 0, `a read at ${offsetBytes}`);
    assert.ok(Number.isSafeInteger(lengthBytes) && lengthBytes >= 0, `a read of ${lengthBytes} bytes`);
    asked += lengthBytes;
    assert.ok(asked <= mostRead, `reads of ${asked} bytes`);
    const bytes = Buffer.alloc(Math.max(0, Math.min(lengthBytes, imageBytes - offsetBytes)));
    start.copy(bytes, 0, Math.min(offsetBytes, start.length));
    return bytes;
  };
  return { read };
}

/** Where an image may end: behind what it has, in it, or far away. */
const imageLengths = fc.constantFrom(512, 64 * 1024, MiB, 64 * MiB, 2 ** 35, maxImageBytes);

/** Fields of a FAT's boot sector that say how large what is. */
const fatFields = [
  ...([
    [11, 2],
    [13, 1],
    [14, 2],
    [16, 1],
    [17, 2],
    [19, 2],
    [22, 2],
    [32, 4],
    [36, 4],
    [44, 4],
    [48, 2],
    [50, 2],
  ] as const),
  // Entries of the allocation table and of the root folder.
  ...([
    [512, 2],
    [514, 2],
    [516, 2],
    [4104, 4],
    [4108, 4],
    [4112, 4],
    [8218, 2],
    [8250, 2],
    [8252, 4],
    [2586, 2],
    [2618, 2],
  ] as const),
] as const;

/** The beginning of a FAT32 of 512 MiB. */
function largeFat(): Buffer {
  const image = fatImage(32);
  image.writeUInt8(8, 13);
  image.writeUInt16LE(0, 19);
  image.writeUInt32LE(2 ** 20, 32);
  image.writeUInt32LE(2 ** 11, 36);
  return image;
}

/** Fields of a GPT, and of its first entry. */
const gptFields = [
  ...([
    [524, 4],
    [536, 8],
    [544, 8],
    [552, 8],
    [560, 8],
    [584, 8],
    [592, 4],
    [596, 4],
  ] as const),
  ...([
    [1056, 8],
    [1064, 8],
    [1184, 8],
    [1192, 8],
  ] as const),
] as const;

/** Fields of an MBR and of its extended boot records. */
const mbrFields = [0, 200, 500].flatMap((record) =>
  [0, 1, 2, 3].flatMap((slot) => {
    const at = record * 512 + 446 + 16 * slot;
    return [
      [at + 4, 1],
      [at + 8, 4],
      [at + 12, 4],
    ] as const;
  }),
);

function zip(method: 0 | 8, withDescriptor: boolean, is64: boolean): Buffer {
  const content = Buffer.alloc(3000, "an image ");
  const packed = method === 8 ? deflateRawSync(content) : content;
  const name = Buffer.from("image.img");
  const extra = Buffer.alloc(is64 ? 20 : 0);
  if (is64) {
    extra.writeUInt16LE(1, 0);
    extra.writeUInt16LE(16, 2);
    extra.writeBigUInt64LE(BigInt(content.length), 4);
    extra.writeBigUInt64LE(BigInt(packed.length), 12);
  }
  const sizes = (bytes: Buffer, at: number): void => {
    bytes.writeUInt32LE(crc32(content), at);
    bytes.writeUInt32LE(is64 ? 0xffffffff : packed.length, at + 4);
    bytes.writeUInt32LE(is64 ? 0xffffffff : content.length, at + 8);
  };
  const header = Buffer.alloc(30);
  header.writeUInt32LE(0x04034b50, 0);
  header.writeUInt16LE(withDescriptor ? 8 : 0, 6);
  header.writeUInt16LE(method, 8);
  if (!withDescriptor) sizes(header, 14);
  header.writeUInt16LE(name.length, 26);
  header.writeUInt16LE(extra.length, 28);
  const descriptor = Buffer.alloc(withDescriptor ? 16 : 0);
  if (withDescriptor) {
    descriptor.writeUInt32LE(0x08074b50, 0);
    descriptor.writeUInt32LE(crc32(content), 4);
    descriptor.writeUInt32LE(packed.length, 8);
    descriptor.writeUInt32LE(content.length, 12);
  }
  const central = Buffer.alloc(46);
  central.writeUInt32LE(0x02014b50, 0);
  sizes(central, 16);
  central.writeUInt16LE(name.length, 28);
  central.writeUInt16LE(extra.length, 30);
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50, 0);
  return Buffer.concat([header, name, extra, packed, descriptor, central, name, extra, end]);
}

function blockMaps(): readonly string[] {
  const ranges = [
    { first: 0, last: 3, checksum: "ab".repeat(32) },
    { first: 7, last: 7 },
  ];
  return (["1.3", "1.4", "2.0"] as const).map((version) =>
    renderBlockMap({
      version,
      imageBytes: 40_000,
      blockBytes: 4096,
      ranges: version === "1.3" ? [{ first: 0, last: 3 }] : ranges,
    }).toString("latin1"),
  );
}

const dumpe2fs = `dumpe2fs 1.47.0 (5-Feb-2023)
Filesystem volume name:   Free blocks: 7
Filesystem features:      has_journal ext_attr resize_inode dir_index filetype extent 64bit flex_bg sparse_super
Filesystem state:         clean
Block count:              60
Free blocks:              26
First block:              1
Block size:               1024


Group 0: (Blocks 1-32) csum 0x49e2 [ITABLE_ZEROED]
  Primary superblock at 1, Group descriptors at 2-2
  Free blocks: 5, 8-32
  Free inodes: 12-1872
Group 1: (Blocks 33-59) csum 0x6e41 [INODE_UNINIT, BLOCK_UNINIT, ITABLE_ZEROED]
  Free blocks: 
  Free inodes: 
`;

function packManifest(): Buffer {
  return renderPackManifest({
    imageBytes: 5 * 4096 + 512,
    imageDigest: "cd".repeat(32) as never,
    chunkBytes: 4096,
    kinds: ["data", "data", "zero", "zero", "unused", "data"],
    frameBytes: [100, 200, 20, 20, 20, 90],
    digests: Buffer.alloc(3 * 32, 9),
  });
}

/** An ext4 with a journal of extents, two groups and blocks of 1 KiB, as far as its books go. */
function extBooks(): Buffer {
  const disk = Buffer.alloc(64 * 1024);
  const superblock = disk.subarray(1024, 2048);
  for (const [at, value] of [
    [0x00, 32],
    [0x04, 64],
    [0x14, 1],
    [0x20, 32],
    [0x28, 16],
    [0x4c, 1],
    [0x58, 256],
    [0x5c, 4],
    [0x60, 0xc0],
    [0xe0, 8],
    [0xfe, 64],
  ] as const)
    superblock.writeUInt32LE(value, at);
  superblock.writeUInt16LE(0xef53, 0x38);
  for (const [at, value] of [
    [2048, 5],
    [2052, 6],
    [2056, 7],
    [2112, 35],
    [2116, 36],
    [2120, 37],
  ] as const)
    disk.writeUInt32LE(value, at);
  const journal = disk.subarray(7 * 1024 + 7 * 256);
  journal.writeUInt32LE(0x80000, 0x20);
  for (const [at, value] of [
    [0, 0xf30a],
    [2, 1],
    [4, 4],
    [6, 0],
    [16, 8],
    [20, 20],
  ] as const)
    journal.writeUInt16LE(value, 0x28 + at);
  return disk;
}

const extBookFields = [
  ...[0x04, 0x14, 0x18, 0x20, 0x60, 0x150, 0x168].map((at) => [1024 + at, 4] as const),
  ...[0x58, 0xfe].map((at) => [1024 + at, 2] as const),
  ...[2048, 2052, 2056, 2080, 2112].map((at) => [at, 4] as const),
  ...[0x2a, 0x2e, 0x38, 0x3a, 0x3c].map((at) => [7 * 1024 + 7 * 256 + at, 2] as const),
];

const parts: fc.Arbitrary<readonly (readonly [bigint, bigint])[]> = fc.array(
  fc.tuple(
    fc.oneof(
      fc.bigInt(0n, 2n ** 64n - 1n),
      fc.nat(1000).map((sector) => BigInt(sector) * 512n),
    ),
    fc.oneof(
      fc.bigInt(0n, 2n ** 64n - 1n),
      fc.nat(10).map((sectors) => BigInt(sectors) * 512n),
    ),
  ),
  { maxLength: 20 },
);

/**
 * Images that operators add, and what nodes read of them. Left out: tar archives, which only GNU tar reads, in a space
 * where it can reach nothing (`foreignSpace`; its listing is parsed in "answers of tools about filesystems"); device trees,
 * of which four bytes are looked at and no structure (`copyFirmwareFiles`); and decompressors, which are programs.
 */
export const images = [
  family<{ readonly disk: Buffer; readonly lengthBytes: number }>({
    name: "captures: the books of an ext filesystem",
    inputs: fc.record({
      disk: fc.oneof(mutatedFields(extBooks(), extBookFields), mutatedBytes(extBooks())),
      lengthBytes: fc.constantFrom(2048, 64 * 1024, 64 * MiB, 2 ** 35, maxImageBytes),
    }),
    check({ disk, lengthBytes }) {
      const { read } = sparse(disk, lengthBytes);
      const books = unlessRefused(() => parseExtBooks(read, { offsetBytes: 0, lengthBytes }));
      let end = 0;
      for (const extent of books ?? []) {
        assert.ok(extent.start >= end && extent.end > extent.start && extent.end <= lengthBytes, "a book elsewhere");
        end = extent.end;
      }
    },
  }),
  family<string>({
    name: "captures: what debugfs lists",
    inputs: mutatedText([
      "/12/100600/0/0/agent.pem/900/\n/2/040755/0/0/../1024/\n",
      "Inode: 8   Type: regular    Mode:  0600\nLinks: 1   Blockcount: 8\nEXTENTS:\n(ETB0):7, (0-3):8-11, (4[u]):20\n",
      "BLOCKS:\n(0-11):1024-1035, (IND):1036, (12):1037\nTOTAL: 14\n",
    ]),
    check(output) {
      for (const { name } of parseFolderEntries(output) ?? []) assert.ok(name !== "" && !name.includes("/"));
      for (const { count, logical, physical } of parseBlockRuns(output))
        assert.ok(count > 0 && Number.isSafeInteger(logical + count) && Number.isSafeInteger(physical + count));
    },
  }),
  family<{
    readonly wanted: readonly (readonly [bigint, bigint])[];
    readonly sent: readonly (readonly [bigint, bigint])[];
  }>({
    name: "captures: parts of a disk",
    inputs: fc.record({ wanted: parts, sent: parts }),
    check({ wanted, sent }) {
      const asked = wanted.map(([offsetBytes, lengthBytes]) => ({ offsetBytes, lengthBytes }));
      const read = unlessRefused(() => parseDiskParts({ parts: asked }));
      unlessRefused(() =>
        parseDiskToRead({ device: "/dev/mmcblk0", sizeBytes: wanted[0]?.[0] ?? 0n, serial: "", cid: "" }),
      );
      if (read === undefined) return;
      const follower = followParts(
        read.map(({ offsetBytes, lengthBytes }) => ({ start: offsetBytes, end: offsetBytes + lengthBytes })),
      );
      let taken = 0;
      for (const [offsetBytes, zeroBytes] of [...sent, ...wanted])
        unlessRefused(() => {
          const value = {
            offsetBytes,
            content: { $case: "zeroBytes", value: zeroBytes },
            digest: Buffer.alloc(0),
          } as const;
          const piece = pieceFromWire({ $case: "piece", value });
          follower.take(piece);
          taken += piece.lengthBytes;
        });
      const all = read.reduce((sum, { lengthBytes }) => sum + lengthBytes, 0);
      assert.ok(taken <= all, `${taken} bytes of ${all}`);
      if (taken === all) follower.end();
    },
  }),
  family<string>({
    name: "captures: what a command line names, and the names of a host",
    inputs: fc.oneof(
      mutatedText(["pi-7:/dev/mmcblk0", "b8:27:eb:00:00:01:/dev/sda", "pi-7"]),
      mutatedText(["127.0.0.1 localhost\n127.0.1.1\tpi-7.rack pi-7 # own\n::1 ip6-localhost\n"]),
    ),
    check(text) {
      const source = unlessRefused(() => parseCaptureSource(text));
      if (source !== undefined)
        assert.ok(source.node !== "" && (source.disk === "" || source.disk.startsWith("/dev/")));
      assert.ok(withoutHostName(text, "pi-7").length <= text.length + 1);
    },
  }),
  family<{ readonly image: Buffer; readonly imageBytes: number }>({
    name: "images: partition tables",
    inputs: fc.record({
      image: fc.oneof(
        mutatedBytes(gptImage()).map(sealGpt),
        mutatedBytes(gptImage().subarray(0, 4096)).map(sealGpt),
        mutatedBytes(mbrImage()),
        mutatedFields(gptImage(), gptFields).map(sealGpt),
        mutatedFields(mbrImage(), mbrFields),
      ),
      imageBytes: imageLengths,
    }),
    check({ image, imageBytes }) {
      const { read } = sparse(image, imageBytes);
      const table = unlessRefused(() => parsePartitionTable(read, imageBytes));
      if (table === undefined) return;
      assert.ok(table.entries.length >= 1 && table.entries.length <= 8192);
      let before = 0;
      for (const { offsetBytes, lengthBytes } of table.entries.toSorted((a, b) => a.offsetBytes - b.offsetBytes)) {
        assert.ok(offsetBytes >= Math.max(512, before) && lengthBytes > 0 && offsetBytes + lengthBytes <= imageBytes);
        before = offsetBytes + lengthBytes;
      }
    },
  }),
  family<Buffer>({
    name: "images: zip archives",
    inputs: mutatedBytes(
      zip(0, false, false),
      zip(8, false, false),
      zip(8, true, false),
      zip(8, false, true),
      zip(0, false, true),
    ),
    async check(archive) {
      await unlessRejected(async () => {
        let bytes = 0;
        const source = async function* () {
          for (let at = 0; at < archive.length; at += 700) yield archive.subarray(at, at + 700);
        };
        for await (const piece of unzip(source())) {
          bytes += piece.length;
          assert.ok(bytes <= 2_000 * archive.length, "it unpacks to more than deflate can hold");
        }
      });
    },
  }),
  family<string>({
    name: "images: block maps",
    inputs: mutatedText(blockMaps(), {
      words: [
        "<Range>",
        "</Range>",
        "<BlockMap>",
        "</bmap>",
        "<a b='c'>",
        "&lt;",
        "&#x41;",
        "&x;",
        "<!DOCTYPE a>",
        "<![CDATA[",
        "]]>",
        "<!--",
        "-->",
        "<?x?>",
        "0-1",
      ],
      maxCharacters: 2 * MiB,
    }),
    check(text) {
      const map = unlessRefused(() => parseBlockMap(Buffer.from(sealBlockMap(text), "latin1")));
      if (map === undefined) return;
      const blocks = Math.ceil(map.imageBytes / map.blockBytes);
      let next = 0;
      for (const { first, last } of map.ranges) {
        assert.ok(first >= next && last >= first && last < blocks);
        next = last + 1;
      }
    },
  }),
  family<{ readonly image: Buffer; readonly lengthBytes: number }>({
    name: "images: fat filesystems",
    inputs: fc.record({
      image: fc.oneof(
        mutatedBytes(fatImage(12), fatImage(32)),
        mutatedBytes(fatImage(12).subarray(0, 6144), fatImage(32).subarray(0, 10_240)),
        mutatedFields(fatImage(12), fatFields),
        mutatedFields(fatImage(32), fatFields),
        mutatedFields(largeFat(), fatFields),
      ),
      lengthBytes: fc.constantFrom(512, 64 * 1024, 256 * 1024, MiB, 2 ** 35, maxImageBytes),
    }),
    async check({ image, lengthBytes }) {
      const usageRead = sparse(image, lengthBytes).read;
      const usage = unlessRefused(() => parseFatUsage(usageRead, { offsetBytes: 0, lengthBytes, chunkBytes: MiB }));
      let end = 0;
      for (const free of usage?.free ?? []) {
        assert.ok(free.start >= end && free.end > free.start && free.end <= lengthBytes);
        ({ end } = free);
      }
      const { read } = sparse(image, lengthBytes);
      const file = {
        read: async (target: Buffer, at: number, length: number, position: number) => {
          const bytes = read(position, length);
          bytes.copy(target, at);
          return { bytesRead: bytes.length };
        },
      };
      await unlessRejected(() => readFat({ file: file as never, offsetBytes: 0, lengthBytes }));
    },
  }),
  family<{ readonly names: readonly string[]; readonly count: number; readonly configTxt: string }>({
    name: "images: which files boot",
    inputs: fc.record({
      names: fc.array(
        mutatedText(
          [
            "vmlinuz-6.1.0-28-arm64",
            "initrd.img-6.1.0-28-arm64",
            "kernel8.img",
            "initramfs8",
            "config.txt",
            "overlays/a.dtbo",
            "overlays/README",
            "bcm2711-rpi-4-b.dtb",
            "a/b/kernel7.img",
          ],
          {
            words: ["/", "-", ".img", ".dtb", "vmlinuz-", "overlays/"],
            maxCharacters: 255,
          },
        ),
        { minLength: 1, maxLength: 8 },
      ),
      // As many as the list of a partition's files, and a config.txt, can have.
      count: fc.constantFrom(1, 20, 2_000, 20_000),
      configTxt: mutatedText(
        ["kernel=vmlinuz-1\ninitramfs a,b followkernel\nos_prefix=a/\n", "include extra.txt\n[pi4]\narm_64bit=0\n"],
        {
          words: ["kernel=", "os_prefix=", "initramfs ", "include ", "\n", "[pi5]", "../", "/"],
          maxCharacters: 64 * 1024,
        },
      ),
    }),
    async check({ names, count, configTxt }) {
      const files = Array.from({ length: count }, (_, index) => {
        const name = names[index % names.length] ?? "";
        return index < names.length ? name : `${name}${index}`;
      });
      const listed = new Set(files);
      const expanded = await expandIncludes(configTxt, async (name) => (name.length % 2 === 0 ? configTxt : undefined));
      assert.ok(expanded.included.length <= 64);
      const config = parseConfigTxt(configTxt);
      const named =
        count < 2_000 ? config.namedFiles : files.map((name, index) => (index % 2 === 0 ? name : `${name}~`));
      const { kept, skipped } = selectFirmwareFiles(files, files.slice(0, 100), named);
      assert.ok(kept.length <= 4_096 && kept.every((path) => listed.has(path)) && skipped.length <= files.length + 100);
      for (const { kernel, initrds, deviceTrees } of chooseBootCandidates(files, config.forUBoot())) {
        for (const path of [kernel, ...initrds, ...deviceTrees]) assert.ok(listed.has(path), path);
      }
      const [kernel] = kept;
      if (kernel !== undefined) judgeKernelOrigin(kept, kernel, true, []);
      for (const board of ["pi3", "pi4", "pi5"] as const)
        for (const boot of chooseFirmwareBoots(board, kept, config)) assert.ok(kept.includes(boot.kernel));
      const firmware = { folder: "f", files: kept, osPrefix: "a/", overlayPrefix: "overlays/" };
      for (const name of names) {
        const found = imageFileFor(name, firmware);
        if (found !== undefined && "path" in found) assert.ok(kept.includes(found.path.slice(2)));
        const shared = sharedFileFor(name, firmware);
        assert.ok(shared === undefined || !/(^|\/)(config|cmdline)\.txt$/i.test(shared) || name.includes("/"), shared);
      }
      assert.ok(withoutOurSettings(configTxt, { bits: 64 }).length <= 2 * configTxt.length + 1);
    },
  }),
  family<Buffer>({
    name: "images: formats",
    inputs: mutatedBytes(
      ...["\x1f\x8b\x08", "\xfd7zXZ\0", "\x28\xb5\x2f\xfd", "PK\x03\x04", "\x50\x2a\x4d\x18", "QFI\xfb"].map((magic) =>
        Buffer.from(magic, "latin1"),
      ),
      Buffer.concat([Buffer.alloc(257), Buffer.from("ustar"), Buffer.alloc(250)]),
      mbrImage().subarray(0, 1_024),
      gptImage().subarray(0, 36 * 1_024),
    ),
    check(bytes) {
      const format = unlessRefused(() => detectFormat(bytes));
      assert.ok([undefined, "raw", "gzip", "xz", "zstd", "zip"].includes(format));
      unlessRefused(() => assertUncompressed(bytes));
    },
  }),
  family<Buffer>({
    name: "images: fat folders",
    inputs: mutatedBytes(
      fatImage(12).subarray(2560, 3072),
      Buffer.alloc(MiB, fatImage(12).subarray(2560 + 64, 2560 + 96)),
    ),
    check(bytes) {
      for (const bits of [12, 32] as const) {
        const entries = parseFatFolder(bytes, bits);
        assert.ok(entries.length <= bytes.length / 32);
        assert.ok(entries.reduce((sum, { raw }) => sum + raw.length, 0) <= bytes.length);
      }
    },
  }),
  family<string>({
    name: "images: dumpe2fs",
    inputs: mutatedText([dumpe2fs], {
      words: ["Free blocks:", "  Free blocks: ", "Group 1:", "\nGroup 0:", "Block count:", "1-2", ", ", "\n"],
      maxCharacters: 200_000,
    }),
    check(output) {
      const frame = { offsetBytes: 1024, lengthBytes: 60 * 1024, chunkBytes: 4096 };
      const usage = unlessRefused(() => parseDumpe2fs(output, frame));
      let end = 0;
      for (const free of usage?.free ?? []) {
        assert.ok(free.start >= Math.max(end, 1024) && free.end > free.start && free.end <= 61 * 1024);
        ({ end } = free);
      }
    },
  }),
  family<Buffer>({
    name: "images: verity, kernels, initrds",
    inputs: mutatedBytes(
      Buffer.concat([verityMagic, Buffer.from([1, 0, 0, 0, 1, 0, 0, 0]), Buffer.alloc(496, 1)]),
      Buffer.concat([Buffer.from("070701"), Buffer.alloc(100, "lib/modules/6.1.0-28-arm64/\0")]),
      Buffer.concat([
        Buffer.alloc(36),
        Buffer.from([0x18, 0x28, 0x6f, 0x01]),
        Buffer.alloc(16),
        Buffer.from("ARM\x64"),
      ]),
      Buffer.from("xxxxLinux version 6.1.0-28-arm64 (debian) Linux version 6."),
      Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 75, 76, 4, 0]),
      Buffer.alloc(MiB, "070701lib/modules/Linux version "),
    ),
    check(bytes) {
      detectKernelFormat(bytes);
      kernelFormatOf(bytes.subarray(0, 64 * 1024));
      assert.ok((parseInitrdReleases(bytes) ?? []).every((release) => release.length <= 128));
      assert.ok((parseKernelRelease(bytes) ?? "").length <= 128);
      isVeritySuperblock(bytes);
      const { dataBytes } = parseVeritySuperblock(bytes, 0);
      assert.ok(dataBytes === undefined || (Number.isSafeInteger(dataBytes) && dataBytes > 0));
    },
  }),
  family<Buffer>({
    name: "images: manifests of packs",
    inputs: mutatedBytes(packManifest()),
    check(bytes) {
      const manifest = unlessRefused(() => parsePackManifest(bytes));
      if (manifest === undefined) return;
      const { chunkCount, chunkBytes, imageBytes, packBytes } = manifest;
      assert.ok(Number.isSafeInteger(imageBytes) && Number.isSafeInteger(packBytes));
      assert.ok(chunkCount === Math.ceil(imageBytes / chunkBytes));
      // The frames are read to the end of the last one, and no further.
      for (const chunk of [0, Math.floor(chunkCount / 2), chunkCount - 1]) {
        assert.ok(manifest.lengthOf(chunk) > 0 && manifest.offsetOf(chunk) + manifest.lengthOf(chunk) <= imageBytes);
        assert.ok(manifest.frameOffsetOf(chunk) + manifest.frameLengthOf(chunk) <= packBytes);
        if (manifest.kindOf(chunk) === "data") assert.equal(manifest.digestOf(chunk).length, 32);
      }
    },
  }),
];

/** The text with the checksum that it should have, as an attacker would send it. */
function sealBlockMap(text: string): string {
  const [, field, sum = ""] = /<(BmapFileChecksum|BmapFileSHA1)>[ ]?([0-9a-f]{40,128})/.exec(text) ?? [];
  if (field === undefined) return text;
  const zeroed = text.replace(sum, "0".repeat(sum.length));
  const digest = createHash(field === "BmapFileSHA1" ? "sha1" : "sha256")
    .update(zeroed, "latin1")
    .digest("hex");
  return digest.length === sum.length ? text.replace(sum, digest) : text;
}
