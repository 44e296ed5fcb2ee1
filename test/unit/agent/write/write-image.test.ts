import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { closeSync, openSync, readFileSync, writeSync } from "node:fs";
import { describe, it, type TestContext } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { zstdCompressSync } from "node:zlib";
import type { Customisation, ImageSource } from "../../../../agent/operations/operation.ts";
import { BLOCK_BYTES } from "../../../../agent/write/blocks.ts";
import { digestOf } from "../../../../agent/write/check-image.ts";
import { verifyImage } from "../../../../agent/write/verify-image.ts";
import { type WriteImageParts, writeImage } from "../../../../agent/write/write-image.ts";
import { Failure, type FailureReason } from "../../../../proto/failure.ts";
import { aDiskFile, type DiskFile } from "./a-disk-file.ts";
import { anImageServer, type Behaviour } from "./an-image-server.ts";
import { type AnOperation, anOperation, type Hooks } from "./an-operation.ts";

const MIB = 1024 * 1024;
const HEAD_BYTES = MIB;
// Not a multiple of a block, nor of 4096: the tail has to be padded.
const image = Buffer.concat([
  randomBytes(HEAD_BYTES),
  randomBytes(3 * MIB),
  Buffer.alloc(2 * MIB),
  randomBytes(4 * MIB + 512),
]);
// Two frames, as a pack has many.
const stored = Buffer.concat([zstdCompressSync(image.subarray(0, 5 * MIB)), zstdCompressSync(image.subarray(5 * MIB))]);
const DISK_BYTES = 12 * MIB;

const customisation: Customisation = {
  root: { offsetBytes: HEAD_BYTES, lengthBytes: MIB, filesystemType: "ext4" },
  stamp: { imageName: "test", imageDigest: digestOf(image), reimageId: "r1", installedAt: "2026-01-01T00:00:00.000Z" },
  residentAgent: false,
};

function sourceAt(url: string, changes: Partial<ImageSource> = {}): ImageSource {
  return {
    url,
    compression: "zstd",
    storedBytes: stored.length,
    sizeBytes: image.length,
    digest: digestOf(image),
    firstPartitionBytes: HEAD_BYTES,
    ...changes,
  };
}

interface Attempt {
  readonly disk: DiskFile;
  readonly operation: AnOperation;
  readonly writing: Promise<void>;
}

async function attempt(
  test: TestContext,
  options: {
    behave?: (request: number, fromByte: number) => Behaviour;
    content?: Buffer;
    source?: Partial<ImageSource>;
    parts?: Partial<WriteImageParts>;
    hooks?: Hooks;
    sectorBytes?: number;
    diskBytes?: number;
  } = {},
): Promise<Attempt> {
  const server = await anImageServer(test, options.content ?? stored, options.behave);
  const disk = await aDiskFile(test, options.diskBytes ?? DISK_BYTES, options.parts, options.sectorBytes);
  const operation = anOperation(options.hooks);
  const request = { device: disk.path, source: sourceAt(server.url, options.source), customisation };
  const writing = writeImage(request, disk.parts, operation.context);
  // Tests look at it later.
  writing.catch(() => undefined);
  return { disk, operation, writing };
}

async function failure(promise: Promise<void>, reason: FailureReason): Promise<Failure> {
  const error = await promise.then(
    () => assert.fail("it succeeded"),
    (caught: unknown) => caught,
  );
  assert.ok(error instanceof Failure, String(error));
  assert.equal(error.reason, reason, error.message);
  return error;
}

async function assertNoTable({ disk }: Attempt): Promise<void> {
  const head = (await disk.content()).subarray(0, HEAD_BYTES);
  assert.ok(head.equals(Buffer.alloc(HEAD_BYTES)), "something is left before the first partition");
  assert.ok(!disk.calls.includes("announce"));
}

describe("writeImage", () => {
  it("puts the image on the disk, and the table last", async (test) => {
    let headAtCustomise: Buffer | undefined;
    const { disk, operation, writing } = await attempt(test, {
      parts: {
        async customise(device) {
          headAtCustomise = readFileSync(device).subarray(0, HEAD_BYTES);
        },
      },
    });
    await writing;
    const content = await disk.content();
    assert.ok(content.subarray(0, image.length).equals(image));
    assert.ok(headAtCustomise?.equals(Buffer.alloc(HEAD_BYTES)), "the table was there before everything else");
    assert.ok(content.subarray(image.length).equals(Buffer.alloc(DISK_BYTES - image.length, 0xaa)));
    assert.deepEqual(operation.phases, ["erasing", "writing", "syncing", "verifying", "customising", "writing-table"]);
    assert.deepEqual(disk.calls, ["guard", "erase", "announce"]);
    const { read, written, verified, resumed } = operation.progress();
    assert.deepEqual(read, { done: stored.length, total: stored.length });
    assert.deepEqual(written, { done: image.length, total: image.length });
    assert.deepEqual(verified, { done: image.length, total: image.length });
    assert.equal(resumed, 0);
  });

  it("writes an image that is not compressed", async (test) => {
    const source = { compression: "none", storedBytes: image.length } as const;
    const { disk, writing } = await attempt(test, { content: image, source });
    await writing;
    assert.ok((await disk.content()).subarray(0, image.length).equals(image));
  });

  it("pads the tail to the sector of the disk", async (test) => {
    const { disk, writing } = await attempt(test, { sectorBytes: 4096 });
    await writing;
    const content = await disk.content();
    assert.ok(content.subarray(0, image.length).equals(image));
    assert.ok(content.subarray(image.length, image.length + 4096 - 512).equals(Buffer.alloc(4096 - 512)));
    assert.equal(content[image.length + 4096 - 512], 0xaa);
  });

  it("writes a head of one sector, and one that is larger than a block", async (test) => {
    for (const firstPartitionBytes of [512, 2 * BLOCK_BYTES + 1024]) {
      const { disk, writing, operation } = await attempt(test, { source: { firstPartitionBytes } });
      await writing;
      assert.ok((await disk.content()).subarray(0, image.length).equals(image));
      assert.equal(operation.progress().verified.done, image.length);
    }
  });

  it("resumes a broken connection and ends with the same bytes", async (test) => {
    const { disk, operation, writing } = await attempt(test, {
      behave: (request) => (request < 5 ? { cutAfterBytes: 1_000_000 + request } : {}),
    });
    await writing;
    assert.ok((await disk.content()).subarray(0, image.length).equals(image));
    assert.equal(operation.progress().resumed, 4);
  });

  const flipped = Buffer.from(stored);
  flipped[2_000_000] = (flipped[2_000_000] ?? 0) ^ 0x10;
  const alteredImage = Buffer.from(image);
  alteredImage[8 * MIB] = (alteredImage[8 * MIB] ?? 0) ^ 1;
  const altered = zstdCompressSync(alteredImage);
  const longer = zstdCompressSync(Buffer.concat([image, Buffer.alloc(512)]));
  const shorter = zstdCompressSync(image.subarray(0, -512));
  const damages: { title: string; content: Buffer; source?: Partial<ImageSource>; reason: FailureReason }[] = [
    { title: "a file that was truncated on the server", content: stored.subarray(0, -1), reason: "image-damaged" },
    {
      title: "a file that was truncated when it was stored",
      content: stored.subarray(0, -1),
      source: { storedBytes: stored.length - 1 },
      reason: "image-damaged",
    },
    { title: "an altered byte in the file", content: flipped, reason: "image-damaged" },
    {
      title: "an altered byte in the image",
      content: altered,
      source: { storedBytes: altered.length },
      reason: "image-damaged",
    },
    { title: "a wrong digest", content: stored, source: { digest: digestOf(stored) }, reason: "image-damaged" },
    {
      title: "an image longer than it says",
      content: longer,
      source: { storedBytes: longer.length },
      reason: "image-damaged",
    },
    {
      title: "an image shorter than it says",
      content: shorter,
      source: { storedBytes: shorter.length },
      reason: "image-damaged",
    },
  ];
  for (const { title, content, source = {}, reason } of damages) {
    it(`never takes ${title} for a success`, async (test) => {
      const tried = await attempt(test, { content, source });
      await failure(tried.writing, reason);
      await assertNoTable(tried);
      assert.ok((await tried.disk.content()).length === DISK_BYTES, "nothing was written behind the image");
    });
  }

  it("does not touch a disk that the guard refuses", async (test) => {
    const { disk, writing } = await attempt(test, {
      parts: {
        async guard() {
          throw new Failure("too-small", "too small");
        },
      },
    });
    await failure(writing, "too-small");
    assert.ok((await disk.content()).equals(Buffer.alloc(DISK_BYTES, 0xaa)));
  });

  it("does not touch a disk whose sectors the image does not fit", async (test) => {
    const { disk, writing } = await attempt(test, { sectorBytes: 4096, source: { firstPartitionBytes: 512 * 63 } });
    await failure(writing, "unsupported");
    assert.ok((await disk.content()).equals(Buffer.alloc(DISK_BYTES, 0xaa)));
  });

  it("finds what the disk did not keep, and says where", async (test) => {
    let path = "";
    const tried = await attempt(test, {
      hooks: {
        onPhase: (phase) => {
          if (phase === "verifying") spoil(path, 5 * MIB + 7);
        },
      },
    });
    path = tried.disk.path;
    const found = await failure(tried.writing, "verify-mismatch");
    await assertNoTable(tried);
    assert.deepEqual(found.evidence.range, { device: path, offsetBytes: BLOCK_BYTES, lengthBytes: BLOCK_BYTES });
    assert.equal(found.evidence.expected, digestOf(image.subarray(BLOCK_BYTES, 2 * BLOCK_BYTES)));
    assert.equal(found.evidence.found, digestOf((await tried.disk.content()).subarray(BLOCK_BYTES, 2 * BLOCK_BYTES)));
  });

  it("erases the table again when reading it back fails", async (test) => {
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

  for (const phase of ["erasing", "writing", "syncing", "verifying", "customising", "writing-table"] as const) {
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
      assert.equal(tried.operation.phases.at(-1), phase);
    });
  }

  it("is cancelled within a moment while the network is stalled", async (test) => {
    const tried = await attempt(test, {
      behave: () => ({ stallAfterBytes: 3_000_000 }),
      parts: {
        fetchSettings: {
          idleTimeoutMs: 60_000,
          giveUpAfterMs: 60_000,
          backoff: { firstMs: 1, capMs: 1, random: () => 0 },
        },
      },
    });
    while (tried.operation.progress().read.done < 3_000_000) await delay(5);
    const before = performance.now();
    tried.operation.abort.abort(new Failure("cancelled", "cancelled on request"));
    await failure(tried.writing, "cancelled");
    assert.ok(performance.now() - before < 500);
    await assertNoTable(tried);
  });

  it("fails when the server stays away", async (test) => {
    const tried = await attempt(test, {
      behave: (request) => (request === 1 ? { cutAfterBytes: 1_000_000 } : { statusCode: 503 }),
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

describe("verifyImage", () => {
  const written = Buffer.concat([image, Buffer.alloc(DISK_BYTES - image.length)]);

  async function verify(
    test: TestContext,
    onDisk: Buffer,
    content = stored,
  ): Promise<{ disk: DiskFile; result: Promise<void>; operation: AnOperation }> {
    const server = await anImageServer(test, content);
    const disk = await aDiskFile(test, DISK_BYTES);
    writeSync(openSync(disk.path, "r+"), onDisk);
    const operation = anOperation();
    const result = verifyImage({ device: disk.path, source: sourceAt(server.url) }, disk.parts, operation.context);
    result.catch(() => undefined);
    return { disk, result, operation };
  }

  it("is content with a disk that holds the image", async (test) => {
    const { result, operation } = await verify(test, written);
    await result;
    assert.equal(operation.progress().verified.done, image.length);
  });

  it("names the first range that differs and does not write", async (test) => {
    const onDisk = Buffer.from(written);
    for (const at of [2 * BLOCK_BYTES + 1, image.length - 1]) onDisk[at] = (onDisk[at] ?? 0) ^ 1;
    const { disk, result } = await verify(test, onDisk);
    const found = await failure(result, "verify-mismatch");
    assert.deepEqual(found.evidence.range, {
      device: disk.path,
      offsetBytes: 2 * BLOCK_BYTES,
      lengthBytes: image.length - 2 * BLOCK_BYTES,
    });
    assert.ok((await disk.content()).equals(onDisk));
  });

  it("blames the image, not the disk, when what was fetched is not the image", async (test) => {
    const other = Buffer.from(image);
    other[5 * MIB] = (other[5 * MIB] ?? 0) ^ 1;
    const otherStored = zstdCompressSync(other);
    const server = await anImageServer(test, otherStored);
    const disk = await aDiskFile(test, DISK_BYTES);
    writeSync(openSync(disk.path, "r+"), written);
    const source = sourceAt(server.url, { storedBytes: otherStored.length });
    await failure(verifyImage({ device: disk.path, source }, disk.parts, anOperation().context), "image-damaged");
  });
});
