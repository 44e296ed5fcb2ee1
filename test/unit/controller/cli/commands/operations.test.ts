import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { mkdir, mkdtemp, rm, truncate, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { afterEach, describe, it } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { status } from "@grpc/grpc-js";
import { execa } from "execa";
import { Failure } from "../../../../../proto/failure.ts";
import type {
  AddImageRequest,
  DeriveImageRequest,
  RunNodeOperationRequest,
} from "../../../../../proto/gen/pallet/v1/controller.ts";
import { FailureReason } from "../../../../../proto/gen/pallet/v1/failure.ts";
import {
  FilesystemType,
  Operation,
  OperationPhase,
  OperationState,
  WipeMethod,
} from "../../../../../proto/gen/pallet/v1/operation.ts";
import { assertGolden } from "../../../../golden.ts";
import { until } from "../../../../until.ts";

import { anImage, someDisks, someEvents } from "../a-catalogue.ts";
import { jsonLines, run } from "../a-console.ts";
import { type AController, answer, openStream, refusal, startController, stream } from "../a-controller.ts";

const terminal = { columns: 100, rows: 30 };

function anOperation(
  state: OperationState,
  doneBytes: bigint,
  parts: Parameters<typeof Operation.fromPartial>[0] = {},
) {
  return {
    operation: Operation.fromPartial({
      operationId: "op-1",
      spec: { work: { $case: "makeFilesystem", value: { device: "/dev/sda1" } } },
      state,
      progress: {
        phase: OperationPhase.OPERATION_PHASE_FORMATTING,
        written: { done: doneBytes, total: 2n ** 30n },
        bytesPerSecond: 50_000_000n,
        eta: { seconds: 9n, nanos: 0 },
      },
      ...parts,
    }),
  };
}

const running = OperationState.OPERATION_STATE_RUNNING;
const success = [
  anOperation(running, 0n),
  anOperation(running, 2n ** 29n),
  anOperation(OperationState.OPERATION_STATE_SUCCEEDED, 2n ** 30n),
];

describe("operations on nodes", () => {
  let controller: AController;
  let asked: RunNodeOperationRequest[] = [];
  afterEach(async () => {
    await controller.close();
    asked = [];
  });

  const start = async (states: Iterable<{ operation: Operation }> = success) => {
    controller = await startController({
      listNodeDisks: answer(() => ({ devices: [...someDisks] })),
      runNodeOperation: stream((request) => {
        asked.push(request);
        return states;
      }),
    });
    return controller.socket;
  };

  it("mkfs shows what would be lost, asks, and makes what was asked for", async () => {
    const socket = await start();
    const argv = ["mkfs", "rack-1", "/dev/mmcblk0p2", "--label", "data"];
    const { code, stdout, stderr } = await run(argv, { socket, terminal, input: ["yes"], env: { NO_COLOR: "1" } });
    assert.equal(code, 0);
    assert.equal(
      stderr,
      "/dev/mmcblk0p2 of rack-1, 29.5 GiB\n" +
        "  loses /dev/mmcblk0p2: ext4, label rootfs, mounted at /mnt\n" +
        "Make ext4 on /dev/mmcblk0p2 of rack-1? Type yes: ",
    );
    assert.deepEqual(asked[0]?.spec?.work, {
      $case: "makeFilesystem",
      value: { device: "/dev/mmcblk0p2", type: FilesystemType.FILESYSTEM_TYPE_EXT4, label: "data" },
    });
    assertGolden("cli/mkfs-live", stdout.replaceAll("\u001b", "^["));
  });

  it("mkfs and wipe change nothing without a yes", async () => {
    const socket = await start();
    for (const command of ["mkfs", "wipe"]) {
      const { code, stderr } = await run([command, "rack-1", "/dev/mmcblk0"], { socket, terminal, input: ["no"] });
      assert.equal(code, 1);
      assert.match(stderr, /loses \/dev\/mmcblk0: mbr partition table/);
      assert.match(stderr, /nothing was changed\.\n$/);
    }
    assert.deepEqual(asked, []);
  });

  it("mkfs names the devices that there are when it is given another", async () => {
    const socket = await start();
    const { code, stderr } = await run(["mkfs", "rack-1", "/dev/sdz"], { socket, terminal });
    assert.equal(code, 1);
    assert.match(stderr, /rack-1 has no device \/dev\/sdz: it has \/dev\/mmcblk0, \/dev\/mmcblk0p1, /);
  });

  it("in a pipe write a line per phase and what was done", async () => {
    const socket = await start();
    const { stdout } = await run(["mkfs", "rack-1", "/dev/sda1", "--type", "vfat", "--yes"], { socket });
    assert.equal(stdout, "2026-11-23T00:20:00Z rack-1: formatting\nmade vfat on /dev/sda1 of rack-1\n");
  });

  it("with --json write every state", async () => {
    const socket = await start();
    const { stdout } = await run(["wipe", "rack-1", "/dev/sda", "--yes", "--json", "--method", "discard"], { socket });
    assert.deepEqual(
      jsonLines(stdout).map(({ state }) => state),
      ["running", "running", "succeeded"],
    );
    assert.deepEqual(asked[0]?.spec?.work, {
      $case: "wipe",
      value: { device: "/dev/sda", method: WipeMethod.WIPE_METHOD_DISCARD },
    });
  });

  it("unmount and identify need no question", async () => {
    const socket = await start();
    assert.equal((await run(["unmount", "rack-1", "/dev/mmcblk0"], { socket })).code, 0);
    assert.equal((await run(["identify", "rack-1", "--seconds", "5"], { socket })).code, 0);
    assert.deepEqual(
      asked.map(({ spec }) => spec?.work),
      [
        { $case: "unmount", value: { device: "/dev/mmcblk0" } },
        { $case: "identify", value: { duration: { seconds: 5n, nanos: 0 } } },
      ],
    );
  });

  it("tell a failure with its evidence and a remedy", async () => {
    const failure = {
      reason: FailureReason.FAILURE_REASON_MOUNTED,
      message: "/dev/sda1 is mounted\u001b[2J",
      found: "/mnt",
    };
    const socket = await start([anOperation(OperationState.OPERATION_STATE_FAILED, 0n, { failure })]);
    const { code, stderr } = await run(["mkfs", "rack-1", "/dev/sda1", "--yes"], { socket });
    assert.equal(code, 1);
    assert.equal(
      stderr,
      "error: /dev/sda1 is mounted\\x1b[2J\n" +
        "  found:    /mnt\n" +
        "  what to do: Unmount it: controller unmount rack-1 /dev/sda1\n",
    );
  });

  it("that stop being told about before their end have not succeeded", async () => {
    const socket = await start([anOperation(running, 0n)]);
    const { code, stderr } = await run(["wipe", "rack-1", "/dev/sda", "--yes"], { socket });
    assert.equal(code, 1);
    assert.match(stderr, /stopped reporting the operation on rack-1 before it ended/);
  });

  it("go on when Ctrl-C stops watching them", async () => {
    controller = await startController({ runNodeOperation: openStream(() => [anOperation(running, 0n)]) });
    const { code, stderr } = await run(["wipe", "rack-1", "/dev/sda", "--yes"], {
      socket: controller.socket,
      onWrite: (_, press) => press("SIGINT"),
    });
    assert.equal(code, 130);
    assert.equal(stderr, "Stopped watching: operation op-1 continues on rack-1.\n");
  });
});

describe("events --follow", () => {
  it("goes on after the last event when the controller was away, and misses and repeats none", async () => {
    const asked: bigint[] = [];
    const controller = await startController({
      streamEvents: (call) => {
        asked.push(call.request.afterId);
        const rest = someEvents.filter(({ id }) => id > call.request.afterId);
        for (const event of asked.length === 1 ? rest.slice(0, 2) : rest) call.write({ event });
        if (asked.length === 1) call.emit("error", { code: status.UNAVAILABLE, details: "closing" });
      },
    });
    try {
      const { code, stdout } = await run(["events", "--follow"], {
        socket: controller.socket,
        onWrite: ({ stdout: soFar }, press) => {
          if (soFar.includes("reimage-failed")) press("SIGINT");
        },
      });
      assert.equal(code, 130);
      assert.deepEqual(asked, [0n, 2n]);
      assert.equal(stdout.trimEnd().split("\n").length, 3);
    } finally {
      await controller.close();
    }
  });
});

describe("images derive", () => {
  let folder: string;
  let controller: AController;
  afterEach(async () => {
    await controller.close();
    await rm(folder, { recursive: true, force: true });
  });

  const start = async () => {
    const got = { name: "", from: "", fileBytes: 0n, bytes: Buffer.alloc(0) };
    controller = await startController({
      deriveImage: (call) => {
        void (async () => {
          for await (const { part } of call as AsyncIterable<DeriveImageRequest>) {
            if (part?.$case === "header") Object.assign(got, part.value);
            if (part?.$case === "chunk") got.bytes = Buffer.concat([got.bytes, part.value]);
          }
          const received = { done: BigInt(got.bytes.length), total: got.fileBytes };
          call.write({ part: { $case: "progress", value: { step: "laying out partition 2", received } } });
          const image = { ...anImage, name: got.name };
          const gain = { writeBytes: 78_643_200n, fetchBytes: 26_214_400n, plainWriteBytes: 450_887_680n };
          const notes = ["partition 1 (BOOTFS) stays as it is"];
          call.write({ part: { $case: "derived", value: { image, ...gain, notes } } });
          call.end();
        })().catch(() => {});
      },
    });
    folder = await mkdtemp(path.join(os.tmpdir(), "pallet-cli-"));
    return { got, socket: controller.socket };
  };

  it("sends a file as it is, and tells what nodes save", async () => {
    const { got, socket } = await start();
    const file = path.join(folder, "new.img.xz");
    const content = randomBytes(3 * 2 ** 20 + 5);
    await writeFile(file, content);
    const { code, stdout, stderr } = await run(["images", "derive", "new", "--from", "old", "--with", file], {
      socket,
    });
    assert.deepEqual([code, stderr.trim()], [0, "partition 1 (BOOTFS) stays as it is"]);
    assert.deepEqual([got.name, got.from, got.fileBytes], ["new", "old", BigInt(content.length)]);
    assert.ok(got.bytes.equals(content));
    assert.match(
      stdout,
      /new: laying out partition 2\nadded new: .*\nSHA-256 .*\n.* unused and left alone\n(?:note: .*\n){2}a node with old on its card writes 75.0 MiB and fetches 25.0 MiB; without deriving, it would write 430 MiB\n$/,
    );
  });

  it("sends a folder as an archive of everything in it", async () => {
    const { got, socket } = await start();
    const tree = path.join(folder, "tree");
    await mkdir(path.join(tree, "etc"), { recursive: true });
    await writeFile(path.join(tree, "etc/hostname"), "new\n");
    const argv = ["images", "derive", "new", "--from", "old", "--with", tree, "--json"];
    const { code, stdout } = await run(argv, { socket });
    assert.equal(code, 0);
    const { stdout: names } = await execa("tar", ["--list"], { input: got.bytes });
    assert.deepEqual(names.split("\n").toSorted(), ["./", "./etc/", "./etc/hostname"]);
    const last = JSON.parse(stdout.trimEnd().split("\n").at(-1) ?? "");
    assert.equal(last.type, "image-derived");
    assert.deepEqual(last.gain, { writeBytes: 78_643_200, fetchBytes: 26_214_400, plainWriteBytes: 450_887_680 });
  });
});

describe("images add", () => {
  let folder: string;
  let controller: AController;
  afterEach(async () => {
    await controller.close();
    await rm(folder, { recursive: true, force: true });
  });

  /** Takes an image in as the contract says, slowly if asked; keeps what it got. */
  const start = async (
    parts: { readonly slow?: boolean; readonly tellsPercent?: boolean; readonly refuseAfterBytes?: number } = {},
  ) => {
    const got = {
      name: "",
      fileBytes: 0n,
      bytes: 0,
      largestChunk: 0,
      sha256: "",
      blockMap: new Uint8Array(),
      everything: false,
    };
    controller = await startController({
      addImage: (call) => {
        const hash = createHash("sha256");
        void (async () => {
          for await (const { part } of call as AsyncIterable<AddImageRequest>) {
            if (part?.$case === "header") Object.assign(got, part.value);
            if (part?.$case !== "chunk") continue;
            if (parts.slow) await delay(2);
            got.bytes += part.value.length;
            got.largestChunk = Math.max(got.largestChunk, part.value.length);
            hash.update(part.value);
            if (got.bytes > (parts.refuseAfterBytes ?? Number.POSITIVE_INFINITY)) {
              const failure = new Failure("invalid", "the image has no root partition: give one with an ext4 root");
              call.emit("error", refusal(status.INVALID_ARGUMENT, failure));
              return;
            }
            const received = { done: BigInt(got.bytes), total: got.fileBytes };
            const percent = parts.tellsPercent ? ` ${Math.floor((100 * got.bytes) / Number(got.fileBytes))}%` : "";
            call.write({ part: { $case: "progress", value: { step: `decompressing${percent}`, received } } });
          }
          got.sha256 = hash.digest("hex");
          call.write({ part: { $case: "image", value: { ...anImage, name: got.name } } });
          call.end();
        })().catch(() => {});
      },
    });
    folder = await mkdtemp(path.join(os.tmpdir(), "pallet-cli-"));
    const file = path.join(folder, "Debian 12.img.xz");
    const content = randomBytes(5 * 2 ** 20 + 17);
    await writeFile(file, content);
    return { got, file, content, socket: controller.socket };
  };

  it("sends the whole file in chunks of at most 1 MiB under a name made from the file's", async () => {
    const { got, file, content, socket } = await start({ slow: true });
    const { code, stdout, stderr } = await run(["images", "add", file], { socket });
    assert.deepEqual([code, stderr], [0, ""]);
    assert.equal(got.name, "debian-12");
    assert.equal(got.fileBytes, BigInt(content.length));
    assert.equal(got.sha256, createHash("sha256").update(content).digest("hex"));
    assert.ok(got.largestChunk <= 2 ** 20);
    assert.match(
      stdout,
      /^2026-11-23T00:20:00Z debian-12: decompressing, \d+% received\nadded debian-12: Debian GNU\/Linux 12/,
    );
  });

  it("tells a step that says how far it is once in a pipe, and again after some seconds only", async () => {
    const { file, socket } = await start({ slow: true, tellsPercent: true });
    const { stdout } = await run(["images", "add", file], { socket });
    assert.match(stdout, /^2026-11-23T00:20:00Z debian-12: decompressing \d+%, \d+% received\nadded debian-12/);
  });

  it("shows a bar on a terminal", async () => {
    const { file, socket } = await start();
    const { stdout } = await run(["images", "add", file], { socket, terminal });
    assert.match(stdout, /decompressing {2}.*█.* {2}\d\d% {2}[34]\.00 MiB of 5\.00 MiB/);
    assert.ok(stdout.includes("decompressing\u001b[K"), "no full bar stands while the controller goes on working");
  });

  it("with --json tells progress and the image", async () => {
    const { file, socket } = await start();
    const { stdout } = await run(["images", "add", file, "--name", "other", "--json"], { socket });
    const lines = jsonLines(stdout);
    assert.equal(lines[0]?.["type"], "import-progress");
    assert.equal(lines.at(-1)?.["type"], "image-added");
  });

  it('reads stdin for "-"', async () => {
    const { got, socket } = await start();
    const { code } = await run(["images", "add", "-", "--name", "piped"], { socket, input: ["abc", "def"] });
    assert.equal(code, 0);
    assert.deepEqual([got.bytes, got.fileBytes], [6, 0n]);
  });

  it("cancels the call and says why when the file is changed while it is read", async () => {
    const { got, file, socket } = await start({ slow: true });
    // More than all buffers on the way hold.
    await truncate(file, 64 * 2 ** 20);
    const adding = run(["images", "add", file], { socket });
    await until(() => got.bytes > 0, "nothing was sent");
    await writeFile(file, "other content", { flag: "r+" });
    const { code, stderr } = await adding;
    assert.notEqual(code, 0);
    assert.match(stderr, /Debian 12.img.xz was changed while it was being read/);
  });

  it("asks for every block with --everything, and says when the controller does not know it", async () => {
    const { got, file, socket } = await start();
    assert.equal((await run(["images", "add", file], { socket })).code, 0);
    assert.equal(got.everything, false);
    const { code, stderr } = await run(["images", "add", file, "--everything"], { socket });
    assert.equal(got.everything, true);
    assert.notEqual(code, 0);
    assert.match(stderr, /does not know --everything, .*controller images remove debian-12/);
  });

  it("sends the block map that lies beside the image, or the one given, or none", async () => {
    const { got, file, socket } = await start();
    await run(["images", "add", file], { socket });
    assert.equal(got.blockMap.length, 0);
    await writeFile(file.replace(/\.xz$/, ".bmap"), "beside");
    await writeFile(path.join(folder, "other.bmap"), "given");
    const { stderr } = await run(["images", "add", file], { socket });
    assert.match(stderr, /^Using the block map .*Debian 12\.img\.bmap\.\n$/);
    assert.equal(`${Buffer.from(got.blockMap)}`, "beside");
    await run(["images", "add", file, "--bmap", path.join(folder, "other.bmap")], { socket });
    assert.equal(`${Buffer.from(got.blockMap)}`, "given");
    assert.equal((await run(["images", "add", file, "--no-bmap"], { socket })).stderr, "");
    assert.equal(got.blockMap.length, 0);
  });

  it("stops sending when the controller refuses the image in the middle", async () => {
    const { file, socket } = await start({ refuseAfterBytes: 2 ** 20 });
    const { code, stderr } = await run(["images", "add", file], { socket });
    assert.equal(code, 1);
    assert.equal(stderr, "error: the image has no root partition: give one with an ext4 root\n");
  });

  it("names a file that is not there, or a folder, before it sends anything", async () => {
    const { socket } = await start();
    const missing = await run(["images", "add", path.join(folder, "none.img")], { socket });
    assert.equal(missing.code, 1);
    assert.match(missing.stderr, /cannot open .*none\.img: ENOENT/);
    const directory = await run(["images", "add", folder], { socket });
    assert.equal(directory.code, 1);
    assert.match(directory.stderr, /is a folder: name an image file/);
  });

  it("ends the call on Ctrl-C", async () => {
    const { file, socket } = await start({ slow: true });
    const { code } = await run(["images", "add", file], { socket, onWrite: (_, press) => press("SIGINT") });
    assert.equal(code, 130);
  });
});
