import assert from "node:assert/strict";
import { hash, randomBytes } from "node:crypto";
import { closeSync, openSync, readFileSync, writeSync } from "node:fs";
import type { FileHandle } from "node:fs/promises";
import { describe, it, type TestContext } from "node:test";
import { zstdCompressSync } from "node:zlib";
import { verifyImage } from "../../../../agent/write/verify-image.ts";
import { type WriteImageParts, writeImage } from "../../../../agent/write/write-image.ts";
import { Failure, type FailureReason } from "../../../../proto/failure.ts";
import type { Customisation, ImageSource } from "../../../../proto/operation/operation-spec.ts";
import { blake3 } from "../../../../proto/pack/blake3.ts";
import type { ImageDigest, ManifestDigest } from "../../../../proto/pack/digest.ts";
import { happensAtOnce } from "../../../at-once.ts";
import { until } from "../../../until.ts";
import { anImageServer, type Behaviour, type ImageServer } from "../fetch/an-image-server.ts";
import { aDiskFile, type DiskFile } from "./a-disk-file.ts";
import { type APack, aPack } from "./a-pack.ts";
import { type AnOperation, anOperation, type Hooks } from "./an-operation.ts";

const mebibyte = 1024 * 1024;
const chunkBytes = 64 * 1024;
const headBytes = mebibyte;
// Not a multiple of a block, nor of 4096: the tail has to be padded.
const image = Buffer.concat([
  randomBytes(headBytes),
  randomBytes(3 * mebibyte),
  Buffer.alloc(2 * mebibyte),
  randomBytes(4 * mebibyte + 512),
]);
const packed = aPack(image);
const diskBytes = 12 * mebibyte;
const headChunks = headBytes / chunkBytes;

const customisation: Customisation = {
  root: { offsetBytes: headBytes, lengthBytes: mebibyte, filesystemType: "ext4" },
  stamp: {
    imageName: "test",
    imageDigest: hash("sha256", image) as ImageDigest,
    reimageId: "r1",
    installedAt: "2026-01-01T00:00:00.000Z",
  },
  resident: false,
};

interface Attempt {
  readonly disk: DiskFile;
  readonly server: ImageServer;
  readonly operation: AnOperation;
  readonly writing: Promise<unknown>;
}

interface AttemptOptions {
  /** Whether nothing is customised. */
  readonly untouched?: boolean;
  readonly pack?: APack;
  readonly behave?: (request: number, fromByte: number) => Behaviour;
  readonly content?: Buffer;
  readonly manifest?: Buffer;
  readonly source?: Partial<ImageSource>;
  readonly parts?: Partial<WriteImageParts>;
  readonly hooks?: Hooks;
  readonly sectorBytes?: number;
  readonly full?: boolean;
  /** The disk of an attempt before. */
  readonly disk?: DiskFile;
}

async function attempt(test: TestContext, options: AttemptOptions = {}): Promise<Attempt> {
  const { pack = packed } = options;
  const server = await anImageServer(
    test,
    options.content ?? pack.pack,
    options.behave,
    options.manifest ?? pack.manifest,
  );
  const disk = options.disk ?? (await aDiskFile(test, diskBytes, {}, options.sectorBytes));
  const operation = anOperation(options.hooks);
  const request = {
    device: disk.path,
    source: { ...pack.sourceAt(server), ...options.source },
    ...(options.untouched !== true && { customisation }),
    full: options.full ?? false,
  };
  const writing = writeImage(request, { ...disk.parts, ...options.parts }, operation.context);
  // Tests look at it later.
  writing.catch(() => undefined);
  return { disk, server, operation, writing };
}

async function failure(promise: Promise<unknown>, reason: FailureReason): Promise<Failure> {
  const error = await promise.then(
    () => assert.fail("it succeeded"),
    (caught: unknown) => caught,
  );
  assert.ok(error instanceof Failure, String(error));
  assert.equal(error.reason, reason, error.message);
  return error;
}

async function assertNoTable({ disk }: Attempt): Promise<void> {
  const head = (await disk.content()).subarray(0, headBytes);
  assert.ok(head.equals(Buffer.alloc(headBytes)), "something is left before the first partition");
  assert.ok(!disk.calls.includes("announce"));
}

describe("writeImage", () => {
  it("puts the image on the disk, and the table last", async (test) => {
    let headAtCustomise: Buffer | undefined;
    const { disk, operation, writing } = await attempt(test, {
      parts: {
        async customise(device) {
          headAtCustomise = readFileSync(device).subarray(0, headBytes);
          return { hostKeys: ["ssh-ed25519 AAAA"] };
        },
      },
    });
    await writing;
    const content = await disk.content();
    assert.ok(content.subarray(0, image.length).equals(image));
    assert.ok(headAtCustomise?.equals(Buffer.alloc(headBytes)), "the table was there before everything else");
    assert.ok(content.subarray(image.length).equals(Buffer.alloc(diskBytes - image.length, 0xaa)));
    assert.deepEqual(
      [...new Set(operation.phases)],
      ["erasing", "comparing", "writing", "syncing", "verifying", "customising", "writing-table"],
    );
    assert.deepEqual(disk.calls, ["guard", "erase", "announce"]);
    assert.deepEqual(operation.outcomes, ["untouched", "uncertain", "no-table", "uncertain", "image"]);
    const { read, written, verified, skipped, resumed, stages, rewrittenBytes } = operation.progress();
    assert.equal(read.done, read.total);
    assert.ok(read.total <= packed.pack.length);
    assert.deepEqual(written, { done: image.length, total: image.length });
    assert.deepEqual(verified, { done: image.length, total: image.length });
    assert.equal(skipped.done, 0);
    assert.equal(resumed, 0);
    assert.equal(rewrittenBytes, 0);
    assert.deepEqual(
      stages.map(({ stage }) => stage),
      ["compare", "fetch", "decompress", "check", "write", "read-back"],
    );
    const bytesOf = Object.fromEntries(stages.map(({ stage, bytes }) => [stage, bytes]));
    assert.equal(bytesOf["fetch"], read.done);
    assert.equal(bytesOf["decompress"], image.length - 2 * mebibyte);
    assert.equal(bytesOf["write"], image.length);
    assert.equal(bytesOf["read-back"], image.length);
  });

  it("pads the tail to the sector of the disk", async (test) => {
    const { disk, writing } = await attempt(test, { sectorBytes: 4096 });
    await writing;
    const content = await disk.content();
    assert.ok(content.subarray(0, image.length).equals(image));
    assert.ok(content.subarray(image.length, image.length + 4096 - 512).equals(Buffer.alloc(4096 - 512)));
    assert.equal(content[image.length + 4096 - 512], 0xaa);
  });

  it("writes a head of one sector, one that ends within a chunk, and one of many blocks", async (test) => {
    for (const firstPartitionBytes of [512, 63 * 512, chunkBytes + 512, 5 * mebibyte + 1024]) {
      let atCustomise: Buffer | undefined;
      const { disk, writing, operation } = await attempt(test, {
        source: { firstPartitionBytes },
        parts: {
          async customise(device) {
            atCustomise = readFileSync(device);
            return {};
          },
        },
      });
      await writing;
      assert.ok((await disk.content()).subarray(0, image.length).equals(image));
      assert.equal(operation.progress().verified.done, image.length);
      const { written, skipped } = operation.progress();
      assert.deepEqual([written.done, skipped.done], [image.length, 0]);
      assert.ok(atCustomise?.subarray(0, firstPartitionBytes).equals(Buffer.alloc(firstPartitionBytes)));
      const partitions = image.subarray(firstPartitionBytes);
      assert.ok(atCustomise?.subarray(firstPartitionBytes, image.length).equals(partitions), "there before the table");
    }
  });

  it("resumes a broken connection and ends with the same bytes", async (test) => {
    const { disk, operation, writing } = await attempt(test, {
      behave: (request) => (request < 5 ? { cutAfterBytes: 200_000 + request } : {}),
    });
    await writing;
    assert.ok((await disk.content()).subarray(0, image.length).equals(image));
    assert.equal(operation.progress().resumed, 4);
  });

  const other = aPack(Buffer.concat([image.subarray(0, -512), randomBytes(512)]));
  const manifestOf = (changes: Partial<Parameters<typeof aPack>[1]>) => aPack(image, changes);
  const unusable: { title: string; manifest: Buffer; source?: Partial<ImageSource>; message: RegExp }[] = [
    { title: "a manifest with another digest", manifest: other.manifest, message: /its SHA-256 differs/ },
    {
      title: "a manifest of another image",
      manifest: other.manifest,
      source: { manifest: digestOf(other) },
      message: /manifest of another image: the SHA-256 of the image differs/,
    },
    {
      title: "a manifest of another pack",
      manifest: packed.manifest,
      source: { storedBytes: packed.pack.length - 1 },
      message: /the size of the pack differs/,
    },
    {
      title: "a manifest that leaves out what lies before the first partition",
      manifest: manifestOf({ kindOf: (chunk, found) => (chunk === 3 ? "unused" : found) }).manifest,
      source: { manifest: digestOf(manifestOf({ kindOf: (chunk, found) => (chunk === 3 ? "unused" : found) })) },
      message: /leaves out chunk 3/,
    },
    {
      title: "a manifest that is none",
      manifest: randomBytes(300),
      source: {},
      message: /./,
    },
  ];
  for (const { title, manifest, source = {}, message } of unusable) {
    it(`does not touch the disk for ${title}`, async (test) => {
      const manifestSource = source.manifest ?? {
        url: "",
        digest: hash("sha256", title.includes("digest") ? "" : manifest) as ManifestDigest,
        manifestBytes: manifest.length,
      };
      const server = await anImageServer(test, packed.pack, undefined, manifest);
      const tried = await attempt(test, {
        source: { ...source, manifest: { ...manifestSource, url: server.manifestUrl } },
      });
      const { message: found } = await failure(tried.writing, "image-damaged");
      assert.match(found, message);
      assert.ok((await tried.disk.content()).equals(Buffer.alloc(diskBytes, 0xaa)));
      assert.deepEqual(tried.disk.calls, ["guard"]);
      assert.deepEqual(tried.operation.outcomes, ["untouched"]);
    });
  }

  it("fetches a frame that arrives damaged once more, and goes on", async (test) => {
    const flipped = Buffer.from(packed.pack);
    const at = (packed.frameOffsets[100] ?? 0) + 9;
    flipped[at] = (flipped[at] ?? 0) ^ 0x10;
    let served = 0;
    const tried = await attempt(test, {
      behave: (_request, fromByte) => {
        if (fromByte > at || served > 0) return {};
        // The request for the head comes first.
        served += fromByte > 0 ? 1 : 0;
        return fromByte > 0 ? { content: flipped } : {};
      },
    });
    await tried.writing;
    assert.equal(served, 1);
    assert.ok((await tried.disk.content()).subarray(0, image.length).equals(image));
  });

  const frameOf = (chunk: number): [number, number] => [
    packed.frameOffsets[chunk] ?? 0,
    packed.frameOffsets[chunk + 1] ?? 0,
  ];
  const swapped = Buffer.from(packed.pack);
  swapped.set(packed.pack.subarray(...frameOf(101)), frameOf(100)[0]);
  const cut = Buffer.from(packed.pack);
  cut.fill(0, frameOf(100)[1] - 300, frameOf(100)[1]);
  const altered = Buffer.from(packed.pack);
  altered[frameOf(100)[0] + 5_000] = (altered[frameOf(100)[0] + 5_000] ?? 0) ^ 1;
  const foreign = Buffer.from(packed.pack);
  foreign.set(zstdCompressSync(Buffer.alloc(chunkBytes * 4), { pledgedSrcSize: chunkBytes * 4 }), frameOf(100)[0]);
  const wide = Buffer.from(packed.pack);
  wide.set(Buffer.from("28b52ffd00ff", "hex"), frameOf(100)[0]);
  const short = Buffer.from(packed.pack);
  short.set(zstdCompressSync(Buffer.alloc(100), { pledgedSrcSize: 100 }), frameOf(100)[0]);
  const rubbish = Buffer.from(packed.pack);
  rubbish.set(randomBytes(1_000), frameOf(100)[0]);
  const damages: { title: string; content: Buffer; message?: RegExp }[] = [
    { title: "an altered byte", content: altered, message: /its content does not match the manifest/ },
    { title: "another chunk's frame", content: swapped },
    { title: "a frame that breaks off", content: cut },
    { title: "a frame that yields too much", content: foreign, message: /its frame is damaged/ },
    { title: "a frame that asks for gigabytes", content: wide, message: /its frame is damaged/ },
    { title: "a frame that yields too little", content: short, message: /its frame is damaged/ },
    { title: "rubbish in the place of a frame", content: rubbish, message: /its frame is damaged/ },
  ];
  for (const { title, content, message = /./ } of damages) {
    it(`never takes ${title} for a success, and names the chunk`, async (test) => {
      const tried = await attempt(test, { content });
      const found = await failure(tried.writing, "image-damaged");
      assert.match(found.message, /chunk 100, the 65536 bytes at byte 6553600, is damaged on the server or in transit/);
      assert.match(found.message, message);
      assert.equal(found.evidence.expected, named(image.subarray(100 * chunkBytes, 101 * chunkBytes)));
      await assertNoTable(tried);
    });
  }

  it("never takes a pack that was truncated on the server for a success", async (test) => {
    const tried = await attempt(test, { content: packed.pack.subarray(0, -1) });
    await failure(tried.writing, "image-damaged");
    await assertNoTable(tried);
  });

  it("does not touch a disk that the guard refuses", async (test) => {
    const { disk, operation, writing } = await attempt(test, {
      parts: {
        async guard() {
          throw new Failure("too-small", "too small");
        },
      },
    });
    await failure(writing, "too-small");
    assert.ok((await disk.content()).equals(Buffer.alloc(diskBytes, 0xaa)));
    assert.deepEqual(operation.outcomes, ["untouched"]);
  });

  it("writes again what the disk did not keep, and reads it again", async (test) => {
    let path = "";
    let spoilt = 0;
    const tried = await attempt(test, {
      hooks: {
        onPhase: (phase) => {
          if (phase !== "verifying" || spoilt > 0) return;
          spoilt += 1;
          for (const at of [5 * mebibyte + 7, 8 * mebibyte, image.length - 1]) spoil(path, at);
        },
      },
    });
    path = tried.disk.path;
    await tried.writing;
    assert.ok((await tried.disk.content()).subarray(0, image.length).equals(image));
    const { rewrittenBytes, verified } = tried.operation.progress();
    assert.equal(rewrittenBytes, 2 * chunkBytes + 512);
    assert.deepEqual(verified, { done: image.length, total: image.length });
  });

  it("gives a disk up that does not keep what was written again, and says where", async (test) => {
    let path = "";
    const tried = await attempt(test, {
      hooks: {
        onPhase: (phase) => {
          if (phase !== "verifying") return;
          spoil(path, 5 * mebibyte + 7);
          spoil(path, 9 * mebibyte);
        },
      },
    });
    path = tried.disk.path;
    const found = await failure(tried.writing, "verify-mismatch");
    await assertNoTable(tried);
    assert.deepEqual(found.evidence.range, { device: path, offsetBytes: 5 * mebibyte, lengthBytes: chunkBytes });
    assert.equal(found.evidence.expected, named(image.subarray(5 * mebibyte, 5 * mebibyte + chunkBytes)));
    const content = await tried.disk.content();
    assert.equal(found.evidence.found, named(content.subarray(5 * mebibyte, 5 * mebibyte + chunkBytes)));
    assert.match(found.message, new RegExp(`${2 * chunkBytes} bytes in all`));
    assert.equal(tried.operation.phases.filter((phase) => phase === "verifying").length, 3);
  });

  it("does the same for what shares its chunk with the table", async (test) => {
    let path = "";
    const times = { mended: 1, lost: 3 };
    for (const [outcome, most] of Object.entries(times)) {
      let spoilt = 0;
      const tried = await attempt(test, {
        source: { firstPartitionBytes: 63 * 512 },
        hooks: {
          onPhase: (phase) => {
            if (phase !== "verifying" || spoilt === most) return;
            spoilt += 1;
            spoil(path, 63 * 512 + 3);
          },
        },
      });
      path = tried.disk.path;
      if (outcome === "mended") {
        await tried.writing;
        assert.ok((await tried.disk.content()).subarray(0, image.length).equals(image));
        continue;
      }
      const found = await failure(tried.writing, "verify-mismatch");
      assert.equal(found.evidence.range?.offsetBytes, 63 * 512);
    }
  });

  it("erases the table again when the disk does not keep it", async (test) => {
    let path = "";
    const tried = await attempt(test, {
      hooks: {
        onProgress: ({ written, verified }) => {
          if (written.done === image.length && verified.done < image.length) spoil(path, 0);
        },
      },
    });
    path = tried.disk.path;
    await failure(tried.writing, "verify-mismatch");
    await assertNoTable(tried);
    assert.deepEqual(tried.disk.calls, ["guard", "erase", "customise", "erase"]);
    assert.equal(tried.operation.outcomes.at(-1), "no-table");
  });

  it("says so when even erasing the table again fails", async (test) => {
    let erasures = 0;
    const tried = await attempt(test, {
      parts: {
        async eraseTable() {
          erasures += 1;
          if (erasures === 2) throw new Failure("device-error", "EIO");
        },
      },
      hooks: {
        onPhase: (phase) => {
          if (phase === "writing-table") tried.operation.abort.abort(new Failure("cancelled", "cancelled on request"));
        },
      },
    });
    const found = await failure(tried.writing, "cancelled");
    assert.match(found.message, /could not be erased again, so the disk may look bootable: EIO/);
    assert.equal(tried.operation.outcomes.at(-1), "uncertain");
  });

  it("tells for how long a disk leaves a write, a read or a sync unanswered", async (test) => {
    for (const slow of ["write", "read", "datasync"] as const) {
      const disk = await aDiskFile(test, diskBytes);
      let nowMs = 1_000;
      const asked = Promise.withResolvers<void>();
      const answer = Promise.withResolvers<void>();
      const { operation, writing } = await attempt(test, {
        disk,
        hooks: { now: () => nowMs },
        parts: {
          openDevice: async (options) => {
            const device = await disk.parts.openDevice(options);
            const call = device.handle[slow].bind(device.handle) as (...words: unknown[]) => Promise<unknown>;
            const patched = async (...words: unknown[]): Promise<unknown> => {
              asked.resolve();
              await answer.promise;
              return call(...words);
            };
            return { ...device, handle: Object.assign(device.handle, { [slow]: patched }) };
          },
        },
      });
      await asked.promise;
      nowMs += 31_500;
      assert.equal(operation.progress().stalledMs, 31_000, slow);
      answer.resolve();
      await writing;
      assert.equal(operation.progress().stalledMs, undefined);
    }
  });

  it("leaves no table when customising fails", async (test) => {
    const tried = await attempt(test, {
      parts: {
        async customise() {
          throw new Failure("tool-failed", "mount failed");
        },
      },
    });
    await failure(tried.writing, "tool-failed");
    await assertNoTable(tried);
    assert.equal(tried.operation.outcomes.at(-1), "no-table");
  });

  it("succeeds when only the kernel does not take note of the partitions", async (test) => {
    const { writing } = await attempt(test, {
      parts: {
        async announcePartitions() {
          throw new Failure("tool-failed", "partx failed");
        },
      },
    });
    await writing;
  });

  for (const phase of [
    "erasing",
    "comparing",
    "writing",
    "syncing",
    "verifying",
    "customising",
    "writing-table",
  ] as const) {
    it(`leaves no table when it is cancelled while ${phase}`, async (test) => {
      const tried = await attempt(test, {
        hooks: {
          onPhase: (entered) => {
            if (entered === phase) tried.operation.abort.abort(new Failure("cancelled", "cancelled on request"));
          },
        },
      });
      await failure(tried.writing, "cancelled");
      await assertNoTable(tried);
      assert.equal(tried.operation.outcomes.at(-1), "no-table");
      assert.equal(tried.operation.phases.at(-1), phase);
    });
  }

  it("is cancelled within a moment while the network is stalled", async (test) => {
    const tried = await attempt(test, {
      behave: () => ({ stallAfterBytes: 500_000 }),
      parts: {
        fetchSettings: {
          takesPlain: true,
          idleTimeoutMs: 60_000,
          giveUpAfterMs: 60_000,
          backoff: { firstMs: 1, capMs: 1, random: () => 0 },
        },
      },
    });
    await until(
      () => tried.operation.progress().read.done >= 500_000,
      "the write does not get to where the network stalls",
    );
    await happensAtOnce(async () => {
      tried.operation.abort.abort(new Failure("cancelled", "cancelled on request"));
      await failure(tried.writing, "cancelled");
    });
    await assertNoTable(tried);
  });

  it("fails when the server stays away", async (test) => {
    const tried = await attempt(test, {
      behave: (request) => (request === 2 ? { cutAfterBytes: 100_000 } : request === 1 ? {} : { statusCode: 503 }),
    });
    await failure(tried.writing, "fetch-failed");
    await assertNoTable(tried);
  });
});

/** Alters a byte of the disk behind the agent's back, as a worn-out card would. */
function spoil(path: string, at: number): void {
  const handle = openSync(path, "r+");
  writeSync(handle, Buffer.from([(image[at] ?? 0) ^ 0xff]), 0, 1, at);
  closeSync(handle);
}

describe("writeImage onto a disk that holds something already", () => {
  it("fetches and writes nothing but the head when it holds the image", async (test) => {
    const first = await attempt(test);
    await first.writing;
    const second = await attempt(test, { disk: first.disk });
    await second.writing;
    assert.ok((await second.disk.content()).subarray(0, image.length).equals(image));
    const { read, written, skipped, verified } = second.operation.progress();
    const headFrames = packed.frameOffsets[headChunks] ?? 0;
    assert.deepEqual(read, { done: headFrames, total: headFrames });
    assert.equal(second.server.askedBytes(), headFrames);
    assert.deepEqual(written, { done: headBytes, total: headBytes });
    assert.deepEqual(skipped, { done: image.length - headBytes, total: image.length - headBytes });
    assert.deepEqual(verified, { done: image.length, total: image.length });
  });

  it("changes nothing on a disk that holds the image when nothing is to be customised", async (test) => {
    const first = await attempt(test, { untouched: true });
    await first.writing;
    first.disk.calls.length = 0;
    const second = await attempt(test, { disk: first.disk, untouched: true });
    await second.writing;
    assert.deepEqual(second.disk.calls, ["guard", "announce"]);
    assert.ok((await second.disk.content()).subarray(0, image.length).equals(image));
    const { written, skipped, verified } = second.operation.progress();
    assert.equal(written.done, 0);
    assert.equal(second.server.askedBytes(), 0);
    assert.deepEqual(skipped, { done: image.length, total: image.length });
    assert.deepEqual(verified, { done: image.length, total: image.length });
  });

  for (const [where, at] of [
    ["in the table", 3],
    ["at the end", image.length - 1],
  ] as const) {
    it(`writes as ever when a disk that is not to be customised differs ${where}`, async (test) => {
      const first = await attempt(test, { untouched: true });
      await first.writing;
      spoil(first.disk.path, at);
      const second = await attempt(test, { disk: first.disk, untouched: true });
      await second.writing;
      assert.ok((await second.disk.content()).subarray(0, image.length).equals(image));
      const { written, skipped } = second.operation.progress();
      assert.equal(written.done + skipped.done, image.length);
      assert.ok(written.done >= headBytes && written.done <= headBytes + chunkBytes);
    });
  }

  it("fetches and writes all of it nevertheless when it is to be full", async (test) => {
    const first = await attempt(test);
    await first.writing;
    const second = await attempt(test, { disk: first.disk, full: true });
    await second.writing;
    const { written, skipped } = second.operation.progress();
    assert.deepEqual(written, { done: image.length, total: image.length });
    assert.equal(skipped.done, 0);
    assert.ok(!second.operation.phases.includes("comparing"));
  });

  it("fetches and writes the chunks that differ", async (test) => {
    const changed = Buffer.from(image);
    for (const at of [2 * mebibyte, 5 * mebibyte + 3, image.length - 5]) changed[at] = (changed[at] ?? 0) ^ 1;
    const first = await attempt(test, { pack: aPack(changed) });
    await first.writing;
    const second = await attempt(test, { disk: first.disk });
    await second.writing;
    assert.ok((await second.disk.content()).subarray(0, image.length).equals(image));
    const { written } = second.operation.progress();
    assert.equal(written.done, headBytes + 2 * chunkBytes + 512);
  });

  it("goes on where a write was interrupted", async (test) => {
    const first = await attempt(test, {
      hooks: {
        onProgress: ({ written }) => {
          if (written.done >= 6 * mebibyte)
            first.operation.abort.abort(new Failure("cancelled", "cancelled on request"));
        },
      },
    });
    await failure(first.writing, "cancelled");
    const second = await attempt(test, { disk: first.disk });
    await second.writing;
    assert.ok((await second.disk.content()).subarray(0, image.length).equals(image));
    const { written, skipped } = second.operation.progress();
    assert.ok(skipped.done >= 4 * mebibyte, `${skipped.done} bytes were skipped`);
    assert.equal(written.done + skipped.done, image.length);
  });

  it("reads no more than a sample of a disk that holds nothing of it", async (test) => {
    const big = aPack(Buffer.concat([randomBytes(headBytes), randomBytes(20 * mebibyte)]), { chunkBytes: 4096 });
    const disk = await aDiskFile(test, 21 * mebibyte);
    const { writing, operation } = await attempt(test, { pack: big, disk });
    await writing;
    const compared = operation.progress().stages.find(({ stage }) => stage === "compare");
    assert.equal(compared?.bytes, 256 * 4096);
    assert.ok((await disk.content()).equals(big.image));
  });

  it("finds out that what it left alone was destroyed by what it wrote", async (test) => {
    // As on a card that is smaller than it says: the second half of the partition is the first half once more.
    const wrapping = async (disk: DiskFile) => ({
      openDevice: async (options: Parameters<WriteImageParts["openDevice"]>[0]) => {
        const device = await disk.parts.openDevice(options);
        const wrap = (position: number): number => (position >= 6 * mebibyte ? position - 4 * mebibyte : position);
        const handle = new Proxy(device.handle, {
          get: (target, name) => {
            if (name === "read" || name === "write") {
              const move = target[name].bind(target) as FileHandle["read"];
              return (buffer: Buffer, at: number, length: number, position: number) =>
                move(buffer, at, length, wrap(position));
            }
            const value = Reflect.get(target, name) as unknown;
            return typeof value === "function" ? value.bind(target) : value;
          },
        });
        return { ...device, handle };
      },
    });
    const content = Buffer.concat([image.subarray(0, 2 * mebibyte), randomBytes(8 * mebibyte)]);
    const pack = aPack(content);
    const disk = await aDiskFile(test, 10 * mebibyte);
    const parts = await wrapping(disk);
    await failure((await attempt(test, { pack, disk, parts })).writing, "verify-mismatch");
    await failure((await attempt(test, { pack, disk, parts })).writing, "verify-mismatch");
  });
});

describe("verifyImage", () => {
  async function verify(
    test: TestContext,
    onDisk: Buffer,
    pack: APack = packed,
  ): Promise<{ disk: DiskFile; server: ImageServer; result: Promise<void>; operation: AnOperation }> {
    const server = await anImageServer(test, pack.pack, undefined, pack.manifest);
    const disk = await aDiskFile(test, diskBytes);
    const handle = openSync(disk.path, "r+");
    writeSync(handle, onDisk);
    closeSync(handle);
    const operation = anOperation();
    const result = verifyImage({ device: disk.path, source: pack.sourceAt(server) }, disk.parts, operation.context);
    result.catch(() => undefined);
    return { disk, server, result, operation };
  }

  it("is content with a disk that holds the image, and fetches nothing but the manifest", async (test) => {
    const { result, operation, server } = await verify(test, image);
    await result;
    assert.deepEqual(operation.progress().verified, { done: image.length, total: image.length });
    assert.deepEqual(server.seen, []);
  });

  it("does not mind what lies where nothing is used", async (test) => {
    const pack = aPack(image, { kindOf: (chunk, found) => (chunk >= 40 && chunk < 60 ? "unused" : found) });
    const onDisk = Buffer.from(image);
    onDisk.fill(7, 40 * chunkBytes, 60 * chunkBytes);
    const { result, operation } = await verify(test, onDisk, pack);
    await result;
    assert.equal(operation.progress().verified.done, pack.usedBytes);
  });

  it("names the first chunk that differs, says how much does, and does not write", async (test) => {
    const onDisk = Buffer.from(image);
    for (const at of [5 * mebibyte + 1, 5 * mebibyte + 2, image.length - 1]) onDisk[at] = (onDisk[at] ?? 0) ^ 1;
    const { disk, result } = await verify(test, onDisk);
    const found = await failure(result, "verify-mismatch");
    assert.deepEqual(found.evidence, {
      range: { device: disk.path, offsetBytes: 5 * mebibyte, lengthBytes: chunkBytes },
      expected: named(image.subarray(5 * mebibyte, 5 * mebibyte + chunkBytes)),
      found: named(onDisk.subarray(5 * mebibyte, 5 * mebibyte + chunkBytes)),
    });
    assert.match(found.message, new RegExp(`${chunkBytes + 512} bytes in all`));
    assert.ok((await disk.content()).subarray(0, image.length).equals(onDisk));
  });
});

function named(bytes: Uint8Array): string {
  return `blake3:${blake3(bytes).toString("hex")}`;
}

function digestOf({ manifest }: APack): ImageSource["manifest"] {
  return { url: "", digest: hash("sha256", manifest) as ManifestDigest, manifestBytes: manifest.length };
}
