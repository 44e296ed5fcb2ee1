// Programs whose log cannot be written: they go on, and say how much is missing once it can be written again.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { constants } from "node:fs";
import { type FileHandle, mkdir, open, readFile, rm, stat, writeFile } from "node:fs/promises";
import path from "node:path";
import process from "node:process";
import { after, afterEach, before, describe, it } from "node:test";
import { promisify } from "node:util";
import { execa } from "execa";
import { stringify } from "yaml";
import { bundledPrograms } from "../programs/bundled-programs.ts";
import { ended, spawnLeashed } from "../programs/leashed-process.ts";
import { type ControllerProcess, createControllerProcess } from "../rack/controller-process.ts";
import { createNetwork, type Network } from "../rack/network.ts";
import { serveInNetwork } from "../rack/rack.ts";
import { createScratchFolder } from "../rack/scratch-folder.ts";
import { requires } from "../requirements.ts";
import { until } from "../until.ts";

const run = promisify(execFile);
type Scratch = Awaited<ReturnType<typeof createScratchFolder>>;

describe("a program whose log cannot be written", { ...requires("root"), timeout: 300_000 }, () => {
  let scratch: Scratch;
  let network: Network;
  let small: string;
  let controller: ControllerProcess | undefined;
  let socket: string;

  before(async () => {
    scratch = await createScratchFolder("pallet-log-");
    network = await createNetwork();
    small = path.join(scratch.path, "small");
    await mkdir(small);
    await run("mount", ["-t", "tmpfs", "-o", "size=64k", "tmpfs", small]);
  });
  after(async () => {
    await run("umount", [small]);
    await network.close();
    await scratch.remove();
  });
  afterEach(async () => {
    await controller?.kill();
    controller = undefined;
  });

  /** A controller whose standard error the shell redirects so. */
  async function serve(redirection: string): Promise<ControllerProcess> {
    const folder = path.join(scratch.path, "config");
    await mkdir(folder, { recursive: true });
    socket = path.join(folder, "c.sock");
    const configFile = path.join(folder, "controller.yaml");
    await writeFile(configFile, stringify({ listen: network.address, stateDirectory: "state", socket }));
    const shell = ["sh", "-c", `exec "$@" ${redirection}`, "sh"] as const;
    controller = createControllerProcess([
      ...shell,
      ...serveInNetwork(network, configFile, (await bundledPrograms()).controller),
    ]);
    controller.start();
    return controller;
  }

  async function answers(): Promise<void> {
    const command = [(await bundledPrograms()).controller, "status", "--socket", socket];
    await until(async () => (await execa(process.execPath, command, { reject: false })).exitCode === 0, "no answer", {
      withinMs: 30_000,
      everyMs: 300,
    });
  }

  async function endsWithin(ms: number, ends: Promise<number | null> | undefined): Promise<void> {
    const timeout = AbortSignal.timeout(ms);
    const late = new Promise<never>((_, reject) => {
      timeout.addEventListener("abort", () => reject(new Error(`still there ${ms} ms after SIGTERM`)));
    });
    assert.equal(await Promise.race([ends, late]), 0);
  }

  /** A pipe without a reader that has room for nothing more. */
  async function fullPipe(): Promise<{ readonly file: string; readonly handle: FileHandle }> {
    const file = path.join(scratch.path, "pipe");
    await rm(file, { force: true });
    await run("mkfifo", [file]);
    const handle = await open(file, constants.O_RDWR | constants.O_NONBLOCK);
    const page = Buffer.alloc(4096, ".");
    await (async () => {
      for (;;) await handle.write(page);
    })().catch((error: NodeJS.ErrnoException) => assert.equal(error.code, "EAGAIN"));
    return { file, handle };
  }

  it("serves on a full disk, ends when told, and says how many lines are missing when there is room", async () => {
    const log = path.join(small, "log");
    const filler = path.join(small, "filler");
    await writeFile(log, "");
    await writeFile(filler, Buffer.alloc(128 * 1024)).catch(() => undefined);
    await serve(`2>>${log}`);
    await answers();
    assert.equal((await stat(log)).size, 0);
    await rm(filler);
    await endsWithin(15_000, controller?.stop());
    const lines = (await readFile(log, "utf8")).trim().split("\n");
    const [missing, ...rest] = lines.map((line) => JSON.parse(line) as { msg: string; lost?: number });
    assert.match(missing?.msg ?? "", /lost here: ENOSPC/);
    assert.ok((missing?.lost ?? 0) >= 1);
    assert.equal(rest[0]?.msg, "shutting down");
  });

  it("ends when told although there never was room", async () => {
    await serve("2>/dev/full");
    await answers();
    await endsWithin(15_000, controller?.stop());
  });

  it("serves and ends with its log in a pipe that is full", async () => {
    const { file, handle } = await fullPipe();
    try {
      await serve(`2>${file}`);
      await answers();
      await endsWithin(15_000, controller?.stop());
    } finally {
      await handle.close();
    }
  });

  it("serves and ends with its log in a pipe whose reader is gone", async () => {
    const file = path.join(scratch.path, "closed");
    await run("mkfifo", [file]);
    const reader = await open(file, constants.O_RDONLY | constants.O_NONBLOCK);
    await serve(`2>${file}`);
    await answers();
    await reader.close();
    await endsWithin(15_000, controller?.stop());
  });

  it("is the agent too", async () => {
    const { file, handle } = await fullPipe();
    try {
      for (const target of ["/dev/full", file]) {
        // Without a controller to believe in, it serves root alone, at its socket.
        const own = ["--port", "0", "--socket", path.join(scratch.path, "agent.sock")];
        const agent = [(await bundledPrograms()).agent, "--kernel-command-line", "/dev/null", ...own];
        const shell = ["-c", `exec "$@" >${target}`, "sh", process.execPath, ...agent];
        const child = spawnLeashed("sh", shell);
        const end = ended(child);
        const listens = async () => (await run("ss", ["-Hlxp"])).stdout.includes(`pid=${child.pid},`);
        try {
          await until(listens, `the agent does not serve with its log in ${target}`);
          child.kill("SIGTERM");
          await endsWithin(
            15_000,
            end.then(({ code }) => code),
          );
        } finally {
          // Otherwise this file would not end before it.
          child.kill("SIGKILL");
        }
      }
    } finally {
      await handle.close();
    }
  });
});
