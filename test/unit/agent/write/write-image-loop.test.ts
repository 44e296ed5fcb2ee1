// The write path on real block devices, through the registry, with the real guard and the real kernel.
import assert from "node:assert/strict";
import { mkdir, open, readFile } from "node:fs/promises";
import path from "node:path";
import { before, describe, it, type TestContext } from "node:test";
import { execa } from "execa";
import type { Operations } from "../../../../agent/operations/operations.ts";
import { openDevice } from "../../../../agent/write/open-device.ts";
import { Failure, type FailureReason } from "../../../../proto/failure.ts";
import { attachLoop } from "../../../../proto/linux/loop-device.ts";
import type { Operation, OperationId } from "../../../../proto/operation/operation.ts";
import type { OperationSpec } from "../../../../proto/operation/operation-spec.ts";
import { happensAtOnce } from "../../../at-once.ts";
import { requires } from "../../../requirements.ts";
import { aLoopDevice, partitioned } from "../disk/a-loop-device.ts";
import { anImageServer } from "../fetch/an-image-server.ts";
import { aSystemImage, type SystemImage } from "./a-system-image.ts";
import { theOperations } from "./the-operations.ts";

const mebibyte = 1024 * 1024;
const nowhere = { url: "http://127.0.0.1:9/", manifestUrl: "http://127.0.0.1:9/" };
const id = (text: string) => text as OperationId;

async function watchToEnd(operations: Operations, operation: OperationId): Promise<Operation[]> {
  const snapshots = await Array.fromAsync(operations.watch(operation) ?? []);
  assert.ok(snapshots.length > 0);
  return snapshots;
}

async function end(operations: Operations, operation: OperationId): Promise<Operation> {
  const last = (await watchToEnd(operations, operation)).at(-1);
  assert.ok(last);
  return last;
}

const refused = (reason: FailureReason) => (error: unknown) => error instanceof Failure && error.reason === reason;

/** What blkid says of the disk itself: its partition table, or nothing. */
async function tableOf(device: string): Promise<string> {
  const { stdout } = await execa("blkid", ["-p", "-o", "value", "-s", "PTTYPE", device], { reject: false });
  return stdout;
}

async function partitionsOf(device: string): Promise<string[]> {
  const name = path.basename(device);
  const lines = (await readFile("/proc/partitions", "utf8")).split("\n");
  return lines.map((line) => line.trim().split(/\s+/)[3] ?? "").filter((found) => found.startsWith(`${name}p`));
}

describe("writing an image to a block device", requires("root", "loop devices"), () => {
  let system: SystemImage;
  before(async () => {
    system = await aSystemImage();
  });

  function spec(device: string, server: { url: string; manifestUrl: string }): OperationSpec {
    return {
      kind: "write-image",
      device,
      source: system.pack.sourceAt(server),
      customisation: system.customisation,
      full: false,
    };
  }

  async function disk(test: TestContext, sizeMib = 32) {
    const device = await aLoopDevice(test, sizeMib);
    await partitioned(device, "label: gpt\nsize=8MiB\nsize=8MiB\n");
    return device;
  }

  it("replaces what was there, and the new system mounts with its stamp", async (test) => {
    const device = await disk(test);
    assert.equal((await partitionsOf(device.path)).length, 2);
    const server = await anImageServer(
      test,
      system.pack.pack,
      (request) => (request === 1 ? { cutAfterBytes: 20 } : {}),
      system.pack.manifest,
    );
    const operations = theOperations();
    const started = await operations.start(id("w"), spec(device.path, server));
    assert.equal(started.kind, "started");
    const snapshots = await watchToEnd(operations, id("w"));
    const last = snapshots.at(-1);
    assert.equal(last?.state, "succeeded", last?.failure?.message);
    assert.equal(last?.progress.resumed, 1);

    assert.equal(await tableOf(device.path), "dos");
    assert.deepEqual(await partitionsOf(device.path), [`${device.name}p1`, `${device.name}p2`]);
    const content = await readFile(device.path);
    assert.ok(content.subarray(0, 5 * mebibyte).equals(system.image.subarray(0, 5 * mebibyte)));
    await execa("e2fsck", ["-fn", `${device.path}p2`]);
    const { stdout } = await execa("debugfs", ["-R", "cat /etc/pallet/installed.json", `${device.path}p2`]);
    assert.deepEqual(JSON.parse(stdout), system.customisation.stamp);

    const verify: OperationSpec = { kind: "verify-image", device: device.path, source: system.pack.sourceAt(server) };
    await operations.start(id("v"), verify);
    const verified = await end(operations, id("v"));
    assert.equal(verified.failure?.reason, "verify-mismatch", "the stamp is a difference from the image");
    assert.ok((verified.failure?.evidence.range?.offsetBytes ?? 0) >= 4 * mebibyte);
  });

  it("fetches and writes only what a disk lacks, however the one before ended", async (test) => {
    const device = await disk(test);
    const operations = theOperations();
    const { pack } = system;
    let requests = 0;
    const server = await anImageServer(
      test,
      pack.pack,
      () => {
        requests += 1;
        // The second request is the first for what is in the partitions.
        return requests === 2 ? { stallAfterBytes: 3_000 } : {};
      },
      pack.manifest,
    );
    const work = spec(device.path, server);
    await operations.start(id("interrupted"), work);
    for await (const _ of operations.watch(id("interrupted")) ?? []) if (requests >= 2) break;
    await operations.cancel(id("interrupted"));

    await operations.start(id("first"), work);
    const first = await end(operations, id("first"));
    assert.equal(first.state, "succeeded", first.failure?.message);
    await operations.start(id("second"), work);
    const second = await end(operations, id("second"));
    assert.equal(second.state, "succeeded", second.failure?.message);
    const { written, skipped, verified, read } = second.progress;
    // The first MiB is always written, and the stamp has changed some of the root filesystem.
    assert.ok(written.done <= 2 * mebibyte, `${written.done} bytes were written`);
    assert.equal(written.done + skipped.done, system.image.length);
    assert.deepEqual(verified, { done: pack.usedBytes, total: pack.usedBytes });
    assert.ok(read.done < pack.pack.length / 2, `${read.done} of ${pack.pack.length} bytes were fetched`);
    assert.equal(await tableOf(device.path), "dos");
    await execa("e2fsck", ["-fn", `${device.path}p2`]);
  });

  it("leaves a disk without a table when it is cancelled midway, at once", async (test) => {
    const device = await disk(test);
    const server = await anImageServer(
      test,
      system.pack.pack,
      () => ({ stallAfterBytes: 5_000 }),
      system.pack.manifest,
    );
    const operations = theOperations();
    await operations.start(id("w"), spec(device.path, server));
    for await (const { progress } of operations.watch(id("w")) ?? []) if (progress.read.done > 0) break;
    const cancelled = await happensAtOnce(() => operations.cancel(id("w")));
    assert.equal(cancelled?.state, "cancelled");
    assert.equal(cancelled?.failure?.reason, "cancelled");
    assert.equal(await tableOf(device.path), "");
    assert.deepEqual(await partitionsOf(device.path), []);
  });

  it("refuses a second writer of the disk or of its partition, and says who has it", async (test) => {
    const device = await disk(test);
    const server = await anImageServer(test, system.pack.pack, () => ({ silent: true }), system.pack.manifest);
    const operations = theOperations();
    await operations.start(id("first"), spec(device.path, server));
    for (const other of [
      spec(device.path, server),
      { kind: "make-filesystem", device: `${device.path}p1`, type: "ext4", label: "" } as const,
    ]) {
      await assert.rejects(operations.start(id("second"), other), (error: unknown) => {
        assert.ok(error instanceof Failure);
        assert.equal(error.reason, "device-busy");
        assert.match(error.message, /operation first \(write-image/);
        return true;
      });
    }
    await operations.stop("end of the test");
  });

  it("refuses a mounted disk, and the kernel refuses it even when the guard was passed before", async (test) => {
    const device = await aLoopDevice(test, 32);
    await execa("mkfs.ext4", ["-q", device.path]);
    const at = path.join(device.folder, "mount");
    await mkdir(at);
    await execa("mount", [device.path, at]);
    const operations = theOperations();
    await assert.rejects(operations.start(id("w"), spec(device.path, nowhere)), refused("mounted"));
    assert.deepEqual(operations.list(), []);
    await assert.rejects(
      openDevice({ path: device.path, sectorBytes: 512, mode: "write", askDisk: () => () => undefined }),
      refused("in-use"),
    );
  });

  it("refuses a disk that is too small, and leaves it as it is", async (test) => {
    const device = await aLoopDevice(test, 16);
    const operations = theOperations();
    await assert.rejects(operations.start(id("w"), spec(device.path, nowhere)), refused("too-small"));
  });

  it("refuses a disk with sectors of 4096 bytes, on which no partition of the image would be found", async (test) => {
    const device = await aLoopDevice(test, 32, 4096);
    const operations = theOperations();
    await assert.rejects(operations.start(id("w"), spec(device.path, nowhere)), (error: unknown) => {
      assert.ok(error instanceof Failure, String(error));
      assert.equal(error.reason, "unsupported");
      assert.match(error.message, /sectors of 4096 bytes, but the image was made for a disk with sectors of 512/);
      return true;
    });
    assert.ok(
      (await readFile(device.path)).every((byte) => byte === 0),
      "the disk was touched",
    );
  });

  it("says where a disk fails, and leaves no table", async (test) => {
    // A sparse file on a filesystem that is full: the kernel answers writes with an error, as a dying card does.
    const device = await aLoopDevice(test, 8);
    const at = path.join(device.folder, "small");
    await mkdir(at);
    await execa("mount", ["-t", "tmpfs", "-o", "size=6M", "none", at]);
    const file = path.join(at, "disk");
    const handle = await open(file, "w");
    await handle.truncate(32 * mebibyte);
    await handle.close();
    const loop = await attachLoop({ file });
    const failing = loop.path;
    try {
      const server = await anImageServer(test, system.pack.pack, undefined, system.pack.manifest);
      const operations = theOperations();
      const full = { ...spec(failing, server) };
      await operations.start(id("w"), full);
      const failed = await end(operations, id("w"));
      assert.equal(failed.state, "failed");
      assert.equal(failed.failure?.reason, "device-error", failed.failure?.message);
      assert.equal(failed.failure?.evidence.range?.device, failing);
      assert.match(failed.failure?.message ?? "", /cannot write \d+ bytes at byte \d+ of \/dev\/loop\d+: (EIO|ENOSPC)/);
      assert.equal(await tableOf(failing), "");
    } finally {
      await loop.close();
      await execa("umount", [at]);
    }
  });
});
