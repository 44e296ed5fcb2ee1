import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readdirSync, truncateSync } from "node:fs";
import { cp, mkdir, mkdtemp, readdir, readFile, rm, stat, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, beforeEach, describe, it } from "node:test";
import { gzipSync, zstdCompressSync, zstdDecompressSync } from "node:zlib";
import { execa } from "execa";
import type { Image } from "../../../../controller/images/catalogue/image.ts";
import { piBoards } from "../../../../controller/images/catalogue/pi-board.ts";
import { createImageStore, type ImageStore, type NewImage } from "../../../../controller/images/image-store.ts";
import { Refusal } from "../../../../controller/refusal/refusal.ts";
import { judgeSystem } from "../../../../controller/reimage/plan/judge-system.ts";
import { Failure, type FailureReason } from "../../../../proto/failure.ts";
import { blake3 } from "../../../../proto/pack/blake3.ts";
import type { ImageDigest, ManifestDigest } from "../../../../proto/pack/digest.ts";
import { parsePackManifest } from "../../../../proto/pack/pack-manifest.ts";
import { dynamicLoaders } from "../../../../proto/system/dynamic-loaders.ts";
import { createManualClock } from "../../proto/time/manual-clock.ts";
import { renderBlockMap } from "./block-map/a-block-map.ts";
import { aVeritySuperblock } from "./map/a-verity-superblock.ts";
import { bootTree, kernelBytes, makeSmallImage, rootTree, type Tree } from "./small-image.ts";

let folder: string;
let piOs: Buffer;
let directory: string;
let store: ImageStore;
const warnings: string[] = [];
const log = { warn: (_: object, message: string) => void warnings.push(message) };

before(async () => {
  folder = await mkdtemp(join(tmpdir(), "pallet-images-"));
  const path = join(folder, "pi-os.img");
  await makeSmallImage(path, [
    { filesystem: "vfat", label: "BOOTFS", tree: bootTree },
    { filesystem: "ext4", label: "rootfs", tree: rootTree },
  ]);
  piOs = await readFile(path);
});
after(() => rm(folder, { recursive: true }));
beforeEach(async () => {
  warnings.length = 0;
  directory = await mkdtemp(join(folder, "store-"));
  store = await createImageStore({ directory, log, clock: createManualClock(1_700_000_000_000) });
});

/** Bytes as they come from a client, in pieces that fit nothing. */
async function* pieces(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += 99_999) yield bytes.subarray(at, at + 99_999);
}

function add(name: string, bytes: Uint8Array, more: Partial<NewImage> = {}): Promise<Image> {
  return store.add({ name, source: pieces(bytes), signal: new AbortController().signal, ...more });
}

async function compressed(bytes: Buffer, command: string, ...args: string[]): Promise<Buffer> {
  const { stdout } = await execa(command, args, { input: bytes, encoding: "buffer" });
  return Buffer.from(stdout);
}

/** A ZIP archive of the image by zip(1). */
async function zipped(bytes: Buffer, ...args: string[]): Promise<Buffer> {
  const path = await mkdtemp(join(folder, "zip-"));
  await writeFile(join(path, "pi-os.img"), bytes);
  await execa("zip", ["-q", "-1", ...args, "image.zip", "pi-os.img"], { cwd: path });
  return readFile(join(path, "image.zip"));
}

const digestOf = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex") as ImageDigest;

/** Nothing of a failed import stays behind. */
async function assertEmpty(): Promise<void> {
  assert.deepEqual(await readdir(directory), []);
  assert.deepEqual(await store.list(), []);
}

async function assertRefused(adding: Promise<Image>, reason: FailureReason, message: RegExp): Promise<void> {
  await assert.rejects(adding, (error) => {
    assert.ok(error instanceof Failure, `${error}`);
    assert.match(error.message, message);
    assert.equal(error.reason, reason);
    return true;
  });
}

describe("importing an image", () => {
  const formats: readonly (readonly [string, (bytes: Buffer) => Buffer | Promise<Buffer>])[] = [
    ["raw", (bytes) => bytes],
    ["gzip", (bytes) => gzipSync(bytes, { level: 1 })],
    [
      "gzip in several members",
      (bytes) => Buffer.concat([gzipSync(bytes.subarray(0, 5000)), gzipSync(bytes.subarray(5000))]),
    ],
    ["gzip with zeros behind it", (bytes) => Buffer.concat([gzipSync(bytes, { level: 1 }), Buffer.alloc(512)])],
    ["xz", (bytes) => compressed(bytes, "xz", "-1", "-c")],
    [
      "xz in several streams",
      async (bytes) =>
        Buffer.concat([
          await compressed(bytes.subarray(0, 5000), "xz", "-1", "-c"),
          Buffer.alloc(8),
          await compressed(bytes.subarray(5000), "xz", "-1", "-c"),
        ]),
    ],
    ["a ZIP archive", (bytes) => zipped(bytes)],
    ["a ZIP archive that was written to a pipe", (bytes) => zipped(bytes, "-fd")],
    ["a ZIP64 archive", (bytes) => zipped(bytes, "-fz")],
    ["a ZIP archive that stores it uncompressed", (bytes) => zipped(bytes, "-0")],
    ["raw with less than a sector of zeros behind it", (bytes) => Buffer.concat([bytes, Buffer.alloc(511)])],
    ["zstd", (bytes) => zstdCompressSync(bytes)],
    [
      "zstd in several frames, which node:zlib would take for a shorter image",
      (bytes) => Buffer.concat([zstdCompressSync(bytes.subarray(0, 50_000)), zstdCompressSync(bytes.subarray(50_000))]),
    ],
  ];
  for (const [title, encode] of formats) {
    it(`takes ${title} and finds out everything about it`, async () => {
      const file = await encode(piOs);
      const image = await add("small", file, { fileBytes: file.length });
      assert.equal(image.digest, digestOf(piOs));
      const { abilities, ...found } = image;
      assert.equal(abilities?.init, "systemd");
      assert.deepEqual(
        {
          ...found,
          digest: "",
          storedBytes: 0,
          pack: undefined,
          partitions: image.partitions.map(({ uuid: _, ...rest }) => rest),
          system: { ...image.system, freeBytes: 0 },
        },
        {
          name: "small",
          digest: "",
          sizeBytes: piOs.length,
          storedBytes: 0,
          partitionTable: "mbr",
          partitions: [
            {
              number: 1,
              offsetBytes: 1_048_576,
              lengthBytes: 4_194_304,
              type: "83",
              partitionUuid: "4e639091-01",
              filesystemType: "vfat",
              label: "BOOTFS",
            },
            {
              number: 2,
              offsetBytes: 5_242_880,
              lengthBytes: 8_388_608,
              type: "83",
              partitionUuid: "4e639091-02",
              filesystemType: "ext4",
              label: "rootfs",
            },
          ],
          rootPartition: 2,
          operatingSystem: "Small System 1",
          boot: {
            kernel: "kernel8.img",
            initrd: "initramfs8",
            deviceTrees: ["bcm2711-rpi-4-b.dtb"],
            commandLine: "console=tty1 rootfstype=ext4 rootwait",
            kernelFormat: "arm64-image",
            kernelOrigin: "unknown",
            firmware: {
              folder: "firmware",
              files: Object.keys(bootTree).toSorted(),
              configTxt: "config.txt",
              boots: [
                {
                  boards: [...piBoards],
                  kernel: "kernel8.img",
                  kernelFormat: "arm64-image",
                  initrds: ["initramfs8"],
                  osPrefix: "",
                  overlayPrefix: "overlays/",
                },
              ],
            },
          },
          // No binary is an init or a shell, and no dynamic loader is there.
          system: {
            systemd: "/usr/lib/systemd/systemd",
            hasInittab: false,
            loaders: Object.fromEntries(dynamicLoaders.map((path) => [path, false])),
            freeBytes: 0,
          },
          pack: undefined,
          addedAt: 1_700_000_000_000,
        },
      );
      const stored = await readFile(store.storedFile(image.digest) ?? "");
      assert.equal(stored.length, image.storedBytes);
      assert.ok((await compressed(stored, "zstd", "-dc")).equals(piOs));
      assert.ok((await readFile(store.bootFile(image.digest, "kernel8.img") ?? "")).equals(kernelBytes));
      assert.deepEqual(await readdir(join(directory, "small")), [
        "boot",
        "image.manifest",
        "image.zst",
        "manifest.json",
      ]);
    });
  }

  it("packs it so that every chunk can be fetched by itself, and what no filesystem uses need not be", async () => {
    const image = await add("small", piOs);
    const { pack } = image;
    const packed = await readFile(store.packFile(pack.manifestDigest, "pack") ?? "");
    const bytes = await readFile(store.packFile(pack.manifestDigest, "manifest") ?? "");
    assert.equal(digestOf(bytes), pack.manifestDigest);
    assert.equal(bytes.length, pack.manifestBytes);
    const manifest = parsePackManifest(bytes);
    const sums = { data: 0, zero: 0, unused: 0 };
    for (let chunk = 0; chunk < manifest.chunkCount; chunk++) {
      const content = piOs.subarray(manifest.offsetOf(chunk), manifest.offsetOf(chunk) + manifest.lengthOf(chunk));
      const start = manifest.frameOffsetOf(chunk);
      const frame = packed.subarray(start, start + manifest.frameLengthOf(chunk));
      assert.ok(zstdDecompressSync(frame).equals(content), `chunk ${chunk}`);
      if (manifest.kindOf(chunk) === "data") assert.ok(blake3(content).equals(manifest.digestOf(chunk)));
      sums[manifest.kindOf(chunk)] += content.length;
    }
    assert.deepEqual(sums, { data: pack.dataBytes, zero: pack.zeroBytes, unused: pack.unusedBytes });
    // The FAT has 4 MiB and holds 0.3; the ext4 has 8 and, with its journal, holds some 2.
    assert.ok(sums.unused > 8 * 2 ** 20, `${sums.unused}`);
    assert.ok(sums.data < 2 * 2 ** 20, `${sums.data}`);
    assert.deepEqual(warnings, []);
  });

  it("holds the image against its block map, whose holes are zeros as any others", async () => {
    const path = join(folder, "with-nothing.img");
    await makeSmallImage(path, [
      { filesystem: "vfat", tree: bootTree },
      { filesystem: "ext4", tree: rootTree },
      { filesystem: "nothing" },
    ]);
    const bytes = await readFile(path);
    const MiB = 2 ** 20;
    const blockBytes = 4096;
    const end = (14 * MiB) / blockBytes;
    const checksum = createHash("sha256")
      .update(bytes.subarray(0, 14 * MiB))
      .digest("hex");
    const map = { imageBytes: bytes.length, blockBytes, ranges: [{ first: 0, last: end - 1, checksum }] };
    const without = await add("without", bytes);
    const steps = new Set<string>();
    const onProgress: NewImage["onProgress"] = ({ step }) => void steps.add(step.replace(/ \d+%$/, ""));
    const mapped = await add("mapped", bytes, { blockMap: renderBlockMap(map), onProgress });
    assert.ok(steps.has("checking the block map"));
    assert.equal(mapped.digest, without.digest);
    assert.equal(mapped.pack.manifestDigest, without.pack.manifestDigest);
    assert.ok(mapped.pack.zeroBytes >= 3 * MiB);

    const altered = { ...map, ranges: [{ first: 0, last: 99, checksum }] };
    await assertRefused(add("other", bytes, { blockMap: renderBlockMap(altered) }), "image-damaged", /blocks 0 to 99/);
    const shorter = { ...map, imageBytes: map.imageBytes - 512 };
    await assertRefused(add("other", bytes, { blockMap: renderBlockMap(shorter) }), "image-damaged", /lengths differ/);
    const broken = Buffer.from("<bmap/>");
    const never = (async function* () {
      yield await Promise.reject(new Error("was read"));
    })();
    const early = add("other", bytes, { blockMap: broken, source: never });
    await assertRefused(early, "unsupported", /block map has format version ""/);
    assert.deepEqual(await readdir(directory), ["mapped", "without"]);
  });

  it("reads a file of this machine where it is, and finds the same in it", async () => {
    const path = join(folder, "pi-os.img");
    const assertUnchanged = async (): Promise<void> => {};
    const steps = new Set<string>();
    let isClosed = false;
    const source = (async function* () {
      try {
        yield piOs.subarray(0, 1 << 20);
        yield piOs.subarray(1 << 20);
      } finally {
        isClosed = true;
      }
    })();
    const inPlace = await add("in-place", piOs, {
      source,
      file: { path, sizeBytes: piOs.length, assertUnchanged },
      fileBytes: piOs.length,
      onProgress: ({ step, receivedBytes }) => {
        steps.add(step);
        // Then it was read, and there is no copy of it.
        if (step === "examining") {
          assert.equal(receivedBytes, piOs.length);
          const [unfinished = ""] = readdirSync(directory);
          assert.deepEqual(readdirSync(join(directory, unfinished)), []);
        }
      },
    });
    assert.ok(steps.has("receiving") && steps.has("examining"), [...steps].join());
    assert.ok(isClosed, "whoever opened its source can close what that reads");
    const sent = await add("sent", piOs);
    assert.deepEqual({ ...inPlace, name: "" }, { ...sent, name: "" });
    assert.ok((await readFile(path)).equals(piOs), "it is still there, and the same");
  });

  it("copies a file of this machine that it cannot read in place", async () => {
    const assertUnchanged = async (): Promise<void> => {};
    for (const [name, bytes] of [
      ["padded", Buffer.concat([piOs, Buffer.alloc(511)])],
      ["packed", gzipSync(piOs, { level: 1 })],
    ] as const) {
      const path = join(folder, name);
      await writeFile(path, bytes);
      const image = await add(name, bytes, { file: { path, sizeBytes: bytes.length, assertUnchanged } });
      assert.equal(image.digest, digestOf(piOs));
    }
  });

  it("makes nothing of a file of this machine that is changed while it is read", async () => {
    const path = join(folder, "changing.img");
    for (const at of ["receiving", "packing"]) {
      await writeFile(path, piOs);
      let isChanged = false;
      const adding = add("changing", piOs, {
        file: {
          path,
          sizeBytes: piOs.length,
          assertUnchanged: async () => {
            if (isChanged) throw new Failure("invalid", "the file was changed");
          },
        },
        onProgress({ step }) {
          if (!step.startsWith(at) || isChanged) return;
          isChanged = true;
          truncateSync(path, 512);
        },
      });
      await assertRefused(adding, "invalid", /the file was changed/);
      await assertEmpty();
    }
  });

  it("says how far it is", async () => {
    const steps = new Map<string, number>();
    await add("small", piOs, {
      fileBytes: piOs.length,
      onProgress: ({ step, receivedBytes, totalBytes }) => {
        assert.equal(totalBytes, piOs.length);
        steps.set(step.split(" ")[0] ?? "", receivedBytes);
      },
    });
    assert.deepEqual([...steps.keys()], ["receiving", "examining", "packing"]);
    assert.equal(steps.get("receiving"), piOs.length);
  });

  const layouts: readonly (readonly [string, Parameters<typeof makeSmallImage>, Partial<Image>])[] = [
    [
      "a GPT image with the kernel in the root's /boot, root first, and a data partition",
      [
        "gpt.img",
        [
          {
            filesystem: "ext4",
            tree: {
              ...rootTree,
              "boot/vmlinuz-6.1.0-9-arm64": "old kernel",
              "boot/vmlinuz-6.1.0-10-arm64": kernelBytes,
              "boot/initrd.img-6.1.0-10-arm64": "initial RAM disk",
            },
          },
          { filesystem: "ext4", label: "data", tree: { "files/readme": "data" } },
          { filesystem: "nothing" },
        ],
        "gpt",
      ],
      {
        partitionTable: "gpt",
        rootPartition: 1,
        boot: {
          kernel: "vmlinuz-6.1.0-10-arm64",
          initrd: "initrd.img-6.1.0-10-arm64",
          deviceTrees: [],
          commandLine: "",
          kernelFormat: "arm64-image",
          kernelOrigin: "upstream",
        },
      },
    ],
    [
      "an image with a recovery system, where cmdline.txt says which root is meant",
      [
        "recovery.img",
        [
          { filesystem: "ext4", label: "recovery", tree: { ...rootTree, "usr/lib/os-release": "NAME=Recovery\n" } },
          { filesystem: "ext4", tree: rootTree },
          { filesystem: "vfat", tree: bootTree },
        ],
      ],
      { partitionTable: "mbr", rootPartition: 2, operatingSystem: "Small System 1" },
    ],
    [
      "an image with its files in folders and names that no tool must take for more than names",
      [
        "folders.img",
        [
          {
            filesystem: "vfat",
            tree: {
              "config.txt": "os_prefix=current/\nkernel=vmlinuz\ninitramfs initrd.img\n",
              "current/vmlinuz": kernelBytes,
              "current/initrd.img": "initial RAM disk",
              "current/cmdline.txt": "quiet\n",
              "-n.dtb": "x",
              "a b.dtb": "x",
              "$(reboot).dtb": "x",
            },
          },
          { filesystem: "ext4", tree: rootTree },
        ],
      ],
      {
        boot: {
          kernel: "vmlinuz",
          initrd: "initrd.img",
          deviceTrees: [],
          commandLine: "quiet",
          kernelFormat: "arm64-image",
          kernelOrigin: "unknown",
          firmware: {
            folder: "firmware",
            files: ["config.txt", "current/cmdline.txt", "current/initrd.img", "current/vmlinuz"],
            configTxt: "config.txt",
            boots: [
              {
                boards: [...piBoards],
                kernel: "current/vmlinuz",
                kernelFormat: "arm64-image",
                initrds: ["current/initrd.img"],
                osPrefix: "current/",
                overlayPrefix: "overlays/",
              },
            ],
          },
          notes: [{ kind: "skipped-files", detail: "$(reboot).dtb, -n.dtb, a b.dtb" }],
        },
      },
    ],
  ];
  for (const [title, [name, ...rest], expected] of layouts) {
    it(`understands ${title}`, async () => {
      const path = join(folder, name);
      await makeSmallImage(path, ...rest);
      const image = await add("other", await readFile(path));
      for (const [key, value] of Object.entries(expected)) assert.deepEqual(image[key as keyof Image], value, key);
      const kernel = await readFile(store.bootFile(image.digest, image.boot.kernel) ?? "");
      assert.ok(kernel.equals(kernelBytes));
    });
  }
});

describe("a table that is not as usual", () => {
  it("is taken from a GPT image that was cut behind its last partition", async () => {
    const path = join(folder, "cut-gpt.img");
    const parts = [{ filesystem: "vfat", tree: bootTree } as const, { filesystem: "ext4", tree: rootTree } as const];
    await makeSmallImage(path, parts, "gpt");
    await truncate(path, 13 * 2 ** 20);
    const image = await add("cut", await readFile(path));
    assert.deepEqual([image.partitionTable, image.sizeBytes, image.rootPartition], ["gpt", 13 * 2 ** 20, 2]);
    await truncate(path, 13 * 2 ** 20 - 512);
    await assertRefused(
      add("shorter", await readFile(path)),
      "image-damaged",
      /the end of partition 2 is past the end/,
    );
  });

  it("is taken with an extended partition without a record, where nodes must hold the zeros that are there", async () => {
    const bytes = Buffer.concat([piOs, Buffer.alloc(4 * 2 ** 20)]);
    const slot = 446 + 2 * 16;
    const [start, sectors] = [piOs.length / 512, (4 * 2 ** 20) / 512];
    bytes.writeUInt8(0x0f, slot + 4);
    bytes.writeUInt32LE(start, slot + 8);
    bytes.writeUInt32LE(sectors, slot + 12);
    const image = await add("extended", bytes);
    assert.deepEqual(
      image.partitions.map(({ number }) => number),
      [1, 2],
    );
    const path = store.packFile(image.pack.manifestDigest, "manifest") ?? "";
    const manifest = parsePackManifest(await readFile(path));
    assert.equal(manifest.kindOf((start * 512) / manifest.chunkBytes), "zero");
  });
});

describe("a file that cannot be imported", () => {
  const cut = (bytes: Buffer) => bytes.subarray(0, bytes.length - 1000);
  const altered = (bytes: Buffer) => {
    const copy = Buffer.from(bytes);
    const at = Math.floor(copy.length / 2);
    return copy.fill(copy.readUInt8(at) ^ 0xff, at, at + 1);
  };
  const garbage = (bytes: Buffer) => Buffer.concat([bytes, Buffer.from("something else")]);
  const xz = (bytes: Buffer) => compressed(bytes, "xz", "-1", "-c");
  const zstd = (bytes: Buffer) => compressed(bytes, "zstd", "-q", "-c", "--check");

  const cases: readonly (readonly [string, (bytes: Buffer) => Buffer | Promise<Buffer>, FailureReason, RegExp])[] = [
    ["raw, cut short", (bytes) => bytes.subarray(0, 10 * 1024 * 1024), "image-damaged", /cut short/],
    ["raw, cut within a sector", (bytes) => bytes.subarray(0, 10 * 2 ** 20 - 1), "image-damaged", /cut short/],
    ["gzip, cut short", (bytes) => cut(gzipSync(bytes)), "image-damaged", /cut short: gzip says: unexpected end/],
    ["gzip, altered", (bytes) => altered(gzipSync(bytes)), "image-damaged", /gzip says/],
    ["gzip with garbage behind it", (bytes) => garbage(gzipSync(bytes)), "image-damaged", /gzip says/],
    [
      "gzip with zeros and garbage behind it",
      (bytes) => garbage(Buffer.concat([gzipSync(bytes), Buffer.alloc(100)])),
      "image-damaged",
      /trailing data after its end/,
    ],
    ["xz, cut short", async (bytes) => cut(await xz(bytes)), "image-damaged", /xz says: .*Unexpected end of input/],
    ["xz, altered", async (bytes) => altered(await xz(bytes)), "image-damaged", /xz says: .*corrupt/],
    ["xz with garbage behind it", async (bytes) => garbage(await xz(bytes)), "image-damaged", /xz says/],
    [
      "zstd, cut short",
      async (bytes) => cut(await zstd(bytes)),
      "image-damaged",
      /zstd says: .*(premature|incomplete)/i,
    ],
    ["zstd, altered", async (bytes) => altered(await zstd(bytes)), "image-damaged", /zstd says/],
    ["zstd with garbage behind it", async (bytes) => garbage(await zstd(bytes)), "image-damaged", /zstd says/],
    [
      "zstd, cut short in its second frame",
      async (bytes) => cut(Buffer.concat([await zstd(bytes.subarray(0, 50_000)), await zstd(bytes.subarray(50_000))])),
      "image-damaged",
      /zstd says/,
    ],
    [
      "raw, with something else than zeros behind its last sector",
      (bytes) => Buffer.concat([bytes, Buffer.from([0, 0, 1])]),
      "image-damaged",
      /does not end at a sector boundary/,
    ],
    ["a ZIP archive, cut short", async (bytes) => cut(await zipped(bytes)), "image-damaged", /ZIP .* cut short/],
    ["a ZIP archive, altered", async (bytes) => altered(await zipped(bytes)), "image-damaged", /ZIP .* damaged/],
    [
      "a ZIP archive with garbage behind it",
      async (bytes) => garbage(await zipped(bytes)),
      "image-damaged",
      /trailing/,
    ],
    ["a ZIP archive with a password", (bytes) => zipped(bytes, "-P", "x"), "unsupported", /encrypted; decrypt it/],
    ["a ZIP archive of a tar archive", () => zipped(Buffer.alloc(4096).fill("ustar", 257, 262)), "unsupported", /tar/],
    ["compressed in a ZIP archive", (bytes) => zipped(gzipSync(bytes)), "unsupported", /compressed twice \(gzip\)/],
    [
      "gzip with zeros, much of it, and garbage behind it",
      (bytes) => garbage(Buffer.concat([gzipSync(bytes), Buffer.alloc(2_000_000)])),
      "image-damaged",
      /trailing data after its end/,
    ],
    ["compressed twice", (bytes) => gzipSync(zstdCompressSync(bytes)), "unsupported", /compressed twice \(zstd\)/],
    [
      "a compressed tar archive",
      () => gzipSync(Buffer.alloc(4096).fill("ustar", 257, 262)),
      "unsupported",
      /tar archive/,
    ],
    ["empty", () => Buffer.alloc(0), "image-damaged", /empty/],
  ];
  for (const [title, encode, reason, message] of cases) {
    it(`is refused and leaves nothing behind: ${title}`, async () => {
      await assertRefused(add("small", await encode(piOs)), reason, message);
      await assertEmpty();
    });
  }

  it("is refused when a card with it on could never be written again", async () => {
    const path = join(folder, "keep.img");
    await makeSmallImage(path, [
      { filesystem: "vfat", tree: bootTree },
      { filesystem: "ext4", label: "pallet-keep", tree: rootTree },
    ]);
    await assertRefused(
      add("small", await readFile(path)),
      "protected",
      /its partition 2 has the label "pallet-keep"; give it another label by hand \(e2label, .*add the image again$/,
    );
    await assertEmpty();
  });

  it("is refused when fewer bytes arrive than were announced", async () => {
    await assertRefused(
      add("small", piOs, { fileBytes: piOs.length + 512 }),
      "image-damaged",
      /did not arrive completely/,
    );
    await assertEmpty();
  });

  it("is said to want memory, not to be damaged, when the program that decompresses it gets none", async () => {
    const path = await mkdtemp(join(folder, "limited-"));
    const limited = `#!/bin/sh\nulimit -v 60000\nexec ${(await execa("which", ["zstd"])).stdout} "$@"\n`;
    await writeFile(join(path, "zstd"), limited, { mode: 0o755 });
    const large = await compressed(piOs, "zstd", "-q", "-c", "--ultra", "-20", "--long=27");
    const saved = { ...process.env };
    try {
      process.env["XZ_DEFAULTS"] = "--memlimit-decompress=1MiB";
      await assertRefused(add("small", await xz(piOs)), "tool-failed", /xz is short of memory \(.*XZ_DEFAULTS/);
      process.env["PATH"] = `${path}:${saved["PATH"]}`;
      await assertRefused(add("small", large), "tool-failed", /zstd is short of memory \(.*not enough memory/);
    } finally {
      process.env = saved;
    }
    await assertEmpty();
  });

  it("is refused when it has no kernel, or no root, with what was found", async () => {
    const withoutKernel = join(folder, "no-kernel.img");
    await makeSmallImage(withoutKernel, [{ filesystem: "vfat" }, { filesystem: "ext4", tree: rootTree }]);
    await assertRefused(add("small", await readFile(withoutKernel)), "unsupported", /no Linux kernel/);
    const withoutRoot = join(folder, "no-root.img");
    await makeSmallImage(withoutRoot, [{ filesystem: "vfat", tree: bootTree }, { filesystem: "ext4" }]);
    await assertRefused(add("small", await readFile(withoutRoot)), "unsupported", /2: 8 MiB ext4 with neither/);
    await assertEmpty();
  });

  it("gives the source's own error when the source breaks", async () => {
    for (const file of [piOs, gzipSync(piOs), await xz(piOs), await zstd(piOs)]) {
      const broken = new Error("connection lost");
      const source = (async function* () {
        yield file.subarray(0, 100_000);
        throw broken;
      })();
      await assert.rejects(add("small", file, { source }), (error) => error === broken);
    }
    await assertEmpty();
  });

  it("is given up at once when the signal comes, even while the source is silent", async () => {
    for (const file of [piOs, gzipSync(piOs), await xz(piOs), await zstd(piOs)]) {
      const controller = new AbortController();
      const source = (async function* () {
        yield file.subarray(0, 100_000);
        setImmediate(() => controller.abort());
        await new Promise(() => {});
      })();
      await assertRefused(add("small", file, { source, signal: controller.signal }), "cancelled", /cancelled/);
    }
    await assertEmpty();
  });

  it("waits for its turn when four others are being added, whoever sends them", async () => {
    const controller = new AbortController();
    const silent = async function* () {
      yield piOs.subarray(0, 1000);
      await new Promise(() => {});
    };
    const others = [1, 2, 3, 4].map((number) =>
      add(`other-${number}`, piOs, { source: silent(), signal: controller.signal }).catch(() => undefined),
    );
    await assert.rejects(add("fifth", piOs), { kind: "exhausted", message: /4 images are being added already/ });
    controller.abort();
    await Promise.all(others);
    await add("fifth", piOs);
    await store.remove("fifth");
    await assertEmpty();
  });

  it("is given up when the signal comes while it is packed", async () => {
    const controller = new AbortController();
    const onProgress: NewImage["onProgress"] = ({ step }) => void (step.startsWith("packing") && controller.abort());
    await assertRefused(add("small", piOs, { signal: controller.signal, onProgress }), "cancelled", /cancelled/);
    await assertEmpty();
  });
});

describe("an image that must have a digest", () => {
  it("is added when it has it, of what is uncompressed", async () => {
    const image = await add("small", gzipSync(piOs), { expectedDigest: digestOf(piOs) as ImageDigest });
    assert.equal(image.digest, digestOf(piOs));
  });

  it("is refused when it has another one, also under the name of one that is there, and leaves nothing behind", async () => {
    const expectedDigest = "ab".repeat(32) as ImageDigest;
    for (const before of [[], ["small"]]) {
      for (const name of before) await add(name, piOs);
      await assert.rejects(add("small", gzipSync(piOs), { expectedDigest }), (error) => {
        assert.ok(error instanceof Failure);
        assert.equal(error.reason, "image-damaged");
        assert.deepEqual([error.evidence.expected, error.evidence.found], [expectedDigest, digestOf(piOs)]);
        return true;
      });
      assert.deepEqual(await readdir(directory), before);
    }
  });
});

describe("a block that a filesystem calls free", () => {
  it("is sent when it was added with --everything, and that is not forgotten", async () => {
    const plain = await add("plain", piOs);
    const all = await add("all", piOs, { everything: true });
    assert.equal(all.digest, plain.digest);
    assert.equal(all.pack.unusedBytes, 0);
    assert.deepEqual(
      [all.everything, ...all.partitions.map(({ countsWhole }) => countsWhole)],
      [true, "it was added with --everything", "it was added with --everything"],
    );
    assert.match(warnings.join("\n"), /all of partition 1 of image all: it was added with --everything/);
    const opened = await createImageStore({ directory, log });
    assert.deepEqual(await opened.list(), [all, plain]);
    assert.deepEqual(await add("all", piOs, { everything: true }), all);
    await assert.rejects(
      add("plain", piOs, { everything: true }),
      (error) => error instanceof Refusal && /added without --everything: .*remove it first/.test(error.message),
    );
  });

  const hashed: readonly (readonly [string, Tree, Tree, RegExp])[] = [
    [
      "the command line sets up a hash tree",
      { ...bootTree, "cmdline.txt": "root=PARTUUID=4e639091-02 roothash=4f2a\n" },
      rootTree,
      /^roothash= in/,
    ],
    [
      "/etc/veritytab does",
      bootTree,
      { ...rootTree, "etc/veritytab": "# names\nroot a b 4f2a\n" },
      /^\/etc\/veritytab/,
    ],
  ];
  for (const [title, boot, root, why] of hashed) {
    it(`is sent when ${title}`, async () => {
      const path = join(folder, `${title.replaceAll(/\W/g, "-")}.img`);
      await makeSmallImage(path, [
        { filesystem: "vfat", tree: boot },
        { filesystem: "ext4", tree: root },
      ]);
      const image = await add("hashed", await readFile(path));
      assert.equal(image.pack.unusedBytes, 0);
      for (const { countsWhole } of image.partitions) assert.match(countsWhole ?? "", why);
    });
  }

  it("is sent of a root of which another partition holds hashes, and nothing may be placed in that", async () => {
    const path = join(folder, "verity.img");
    await makeSmallImage(path, [
      { filesystem: "vfat", tree: bootTree },
      { filesystem: "ext4", tree: rootTree },
      { filesystem: "nothing" },
    ]);
    const bytes = await readFile(path);
    aVeritySuperblock(8 * 2 ** 20).copy(bytes, 13 * 2 ** 20);
    const image = await add("verity", bytes);
    const [boot, root] = image.partitions;
    assert.deepEqual([boot?.countsWhole, boot?.hashed, root?.hashed], [undefined, undefined, true]);
    assert.match(root?.countsWhole ?? "", /hash tree at byte 13631488 of the image is of its size/);
    assert.match(
      judgeSystem(image, undefined, { grow: true })?.message ?? "",
      /^dm-verity would not start .* --no-resident/,
    );
    const opened = await createImageStore({ directory, log });
    assert.deepEqual(await opened.list(), [image]);
  });

  it("is left out when /etc/veritytab has nothing but comments", async () => {
    const path = join(folder, "comments.img");
    const tree = { ...rootTree, "etc/veritytab": "# <name> <data> <hash> <roothash>\n\n" };
    await makeSmallImage(path, [
      { filesystem: "vfat", tree: bootTree },
      { filesystem: "ext4", tree },
    ]);
    assert.ok((await add("comments", await readFile(path))).pack.unusedBytes > 8 * 2 ** 20);
  });
});

describe("the image store", () => {
  /** A store that has the image as "a" and as "b": what most of these tests begin with takes a dozen programs to import. */
  let imported: string;
  let twins: readonly Image[];
  before(async () => {
    imported = await mkdtemp(join(folder, "imported-"));
    const first = await createImageStore({ directory: imported, log, clock: { now: () => 1_700_000_000_000 } });
    const signal = new AbortController().signal;
    twins = [
      await first.add({ name: "a", source: pieces(piOs), signal }),
      await first.add({ name: "b", source: pieces(piOs), signal }),
    ];
  });
  /** Has the store begin with images that another one has imported; resolves with them. */
  async function begin(...names: readonly ("a" | "b")[]): Promise<[Image, ...Image[]]> {
    for (const name of names) await cp(join(imported, name), join(directory, name), { recursive: true });
    store = await createImageStore({ directory, log, clock: { now: () => 1_700_000_000_000 } });
    const [first, ...more] = twins.filter(({ name }) => names.some((wanted) => wanted === name));
    assert.ok(first);
    assert.deepEqual(await store.list(), [first, ...more]);
    return [first, ...more];
  }

  it("finds images by name and by digest, also after a new start, in the order of their names", async () => {
    const image = await add("b", piOs);
    await add("a", piOs);
    for (const opened of [store, await createImageStore({ directory, log })]) {
      assert.deepEqual(
        (await opened.list()).map(({ name }) => name),
        ["a", "b"],
      );
      assert.deepEqual(await opened.get("b"), image);
      assert.equal((await opened.getByDigest(image.digest))?.name, "a");
      assert.equal(opened.storedFile(image.digest), join(directory, "a", "image.zst"));
      assert.equal(await opened.get("c"), undefined);
      assert.equal(await opened.getByDigest("0".repeat(64) as ImageDigest), undefined);
      assert.equal(opened.storedFile("0".repeat(64) as ImageDigest), undefined);
      const { manifestDigest } = image.pack;
      assert.equal((await opened.getByManifest(manifestDigest))?.name, "a");
      assert.equal(opened.packFile(manifestDigest, "pack"), join(directory, "a", "image.zst"));
      assert.equal(opened.packFile(manifestDigest, "manifest"), join(directory, "a", "image.manifest"));
      assert.equal(opened.packFile(image.digest as string as ManifestDigest, "pack"), undefined);
      assert.equal(await opened.getByManifest(image.digest as string as ManifestDigest), undefined);
    }
    assert.deepEqual(warnings, []);
  });

  it("gives out only boot files that the manifest names", async () => {
    const [{ digest }] = await begin("a");
    for (const file of ["../manifest.json", "manifest.json", "config.txt", "", "/etc/passwd"]) {
      assert.equal(store.bootFile(digest, file), undefined);
    }
  });

  it("takes the same content under the same name again, and changes nothing", async () => {
    const [first] = await begin("a");
    const before = await stat(store.storedFile(first.digest) ?? "");
    assert.deepEqual(await add("a", gzipSync(piOs)), first);
    assert.equal((await stat(store.storedFile(first.digest) ?? "")).ino, before.ino);
    assert.deepEqual(await readdir(directory), ["a"]);
  });

  it("refuses other content under a name that is taken", async () => {
    const [first] = await begin("a");
    const other = Buffer.from(piOs);
    other.writeUInt8(1, 600_000);
    await assert.rejects(add("a", other), (error) => error instanceof Refusal && error.kind === "already-exists");
    assert.deepEqual(await store.list(), [first]);
    assert.deepEqual(await readdir(directory), ["a"]);
  });

  it("refuses a second import of a name while the first runs", async () => {
    const first = add("small", piOs);
    await assert.rejects(add("small", piOs), (error) => error instanceof Refusal && error.kind === "precondition");
    await first;
  });

  it("refuses names that are no names", async () => {
    for (const name of ["../x", ".unfinished-1", "A", ""])
      await assertRefused(add(name, piOs), "invalid", /is not a valid image name/);
  });

  it("removes an image and keeps its twin", async () => {
    const [{ digest }] = await begin("a", "b");
    await store.remove("a");
    assert.equal((await store.getByDigest(digest))?.name, "b");
    assert.deepEqual(await readdir(directory), ["b"]);
    await assert.rejects(store.remove("a"), (error) => error instanceof Refusal && error.kind === "not-found");
  });

  it("leaves out an image whose manifest is broken, says why, and keeps the others", async () => {
    await begin("a", "b");
    await writeFile(join(directory, "b", "manifest.json"), "{}");
    await mkdir(join(directory, "stray"));
    const opened = await createImageStore({ directory, log });
    assert.deepEqual(
      (await opened.list()).map(({ name }) => name),
      ["a"],
    );
    assert.equal(warnings.length, 2);
    assert.match(warnings.join("\n"), /b, which cannot be used: format/);
    await assert.rejects(
      opened.add({ name: "b", source: pieces(piOs), signal: new AbortController().signal }),
      /\/b is in the way and is not a usable image/,
    );
  });

  const damages: readonly (readonly [string, (path: string) => Promise<void>, RegExp])[] = [
    [
      "the manifest of its pack was altered",
      async (path) => {
        const bytes = await readFile(join(path, "image.manifest"));
        bytes.writeUInt8(bytes.readUInt8(bytes.length - 1) ^ 1, bytes.length - 1);
        await writeFile(join(path, "image.manifest"), bytes);
      },
      /the SHA-256 of its image.manifest is [0-9a-f]{64}, not [0-9a-f]{64}; add the image again/,
    ],
    ["the manifest of its pack is gone", (path) => rm(join(path, "image.manifest")), /ENOENT.*image.manifest/],
    [
      "its pack was cut short",
      (path) => truncate(join(path, "image.zst"), 1000),
      /length of its image.zst is 1000, not/,
    ],
  ];
  for (const [title, damage, message] of damages) {
    it(`leaves out an image when ${title}`, async () => {
      await begin("b");
      await damage(join(directory, "b"));
      const opened = await createImageStore({ directory, log });
      assert.deepEqual(await opened.list(), []);
      assert.match(warnings.join("\n"), message);
    });
  }

  it("leaves out an image of an older Pallet, says how to add it again, and that replaces it", async () => {
    await begin("a");
    const path = join(directory, "a");
    const { pack: _, ...description } = JSON.parse(await readFile(join(path, "manifest.json"), "utf8"));
    await writeFile(join(path, "manifest.json"), JSON.stringify({ ...description, format: "zstd-1" }));
    await writeFile(join(path, "image.zst"), zstdCompressSync(piOs));
    await rm(join(path, "image.manifest"));
    store = await createImageStore({ directory, log });
    assert.deepEqual(await store.list(), []);
    assert.equal(warnings.length, 1);
    assert.ok(warnings[0]?.includes(`controller images add ${path}/image.zst --name a`), warnings[0]);
    assert.equal((await add("a", await readFile(join(path, "image.zst")))).digest, digestOf(piOs));
    assert.deepEqual(await readdir(path), ["boot", "image.manifest", "image.zst", "manifest.json"]);
  });

  it("removes at its start what a crash left unfinished", async () => {
    await mkdir(join(directory, ".unfinished-abc", "boot"), { recursive: true });
    await createImageStore({ directory, log });
    assert.deepEqual(await readdir(directory), []);
  });
});
