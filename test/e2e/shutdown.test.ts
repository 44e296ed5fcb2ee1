// How the real `controller serve` ends: in order, whatever it runs and whatever it is doing, and however it is told.
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { existsSync, readdirSync, readFileSync, readlinkSync } from "node:fs";
import { mkdir, open, readdir, rm, symlink, writeFile } from "node:fs/promises";
import path from "node:path";
import process from "node:process";
import { after, before, describe, it } from "node:test";
import { withUnfinishedFolder } from "../../controller/images/catalogue/unfinished-folder.ts";
import { assertDetachedBelow } from "../assert-detached.ts";
import { bundledPrograms } from "../programs/bundled-programs.ts";
import { checkout } from "../programs/checkout.ts";
import { ended } from "../programs/leashed-process.ts";
import { createRack, type Rack } from "../rack/rack.ts";
import { requires } from "../requirements.ts";
import { makeTinyImage } from "../tiny-image.ts";
import { until } from "../until.ts";

const MiB = 1024 * 1024;
const server = { mode: "server", interface: "rack", range: ["10.77.0.100", "10.77.0.200"] };
const nfs = { mode: "ganesha", rootfs: path.join(checkout, "scripts") };

interface Running {
  readonly pid: number;
  readonly name: string;
}

/** What each rack was seen to run: pid, and when it started, which no later process with that pid has. */
const seen = new WeakMap<Rack, Set<string>>();

/**
 * Processes in the network namespace of a rack, but for the one that holds it, and what they started in namespaces of its
 * own; also what was seen so once and has lost its parents since.
 */
function processesOf(rack: Rack): Running[] {
  const { namespace } = rack.network;
  const wanted = readlinkSync(namespace.path);
  const known = seen.get(rack) ?? new Set();
  seen.set(rack, known);
  const all = readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name) && Number(name) !== namespace.pid)
    .flatMap((name) => {
      try {
        // proc_pid_stat(5): after the name in parentheses, the state, the parent, and in field 22 the start.
        const [, , parent = "", ...fields] = (
          readFileSync(`/proc/${name}/stat`, "latin1").split(")").at(-1) ?? ""
        ).split(" ");
        const started = `${name} ${fields[17]}`;
        const isIn = readlinkSync(`/proc/${name}/ns/net`) === wanted;
        const comm = readFileSync(`/proc/${name}/comm`, "utf8").trim();
        return [{ pid: Number(name), parent: Number(parent), started, isIn, name: comm }];
      } catch {
        // It has since ended.
        return [];
      }
    });
  for (const { started, isIn } of all) if (isIn) known.add(started);
  // As deep as there are parents: a child is often listed before them.
  for (let before = -1; before !== known.size; ) {
    before = known.size;
    const parents = new Set(all.filter(({ started }) => known.has(started)).map(({ pid }) => pid));
    for (const { started, parent } of all) if (parents.has(parent)) known.add(started);
  }
  return all.filter(({ started }) => known.has(started)).map(({ pid, name }) => ({ pid, name }));
}

/** The ways in which a person or a service manager ends a program. */
const ways = {
  SIGTERM: (pid: number) => process.kill(pid, "SIGTERM"),
  SIGINT: (pid: number) => process.kill(pid, "SIGINT"),
  "Ctrl-C in a terminal": (pid: number) => process.kill(-pid, "SIGINT"),
} as const;

/** Ends the controller and holds against it that it does so in order. Returns what it ran before. */
async function assertEndsInOrder(rack: Rack, end: (pid: number) => void): Promise<readonly Running[]> {
  const pid = rack.controller.pid();
  assert.ok(pid !== undefined);
  const ran = processesOf(rack).filter((each) => each.pid !== pid);
  const mark = rack.controller.log.mark();
  const gone = rack.controller.gone();
  end(pid);
  assert.equal(await gone, 0, rack.controller.log.tail(20));
  const said = rack.controller.log.text().slice(mark);
  assert.match(said, /"msg":"shutting down"/);
  assert.doesNotMatch(said, /"level":[56]0|started again|takes too long/);
  await assertNothingLeft(rack);
  return ran;
}

async function assertNothingLeft(rack: Rack): Promise<void> {
  // What it ran is gone before it is, not some time later; but for the shell of its leash, which sees it go.
  assert.deepEqual(
    processesOf(rack).filter(({ name }) => name !== "sh"),
    [],
  );
  await until(() => processesOf(rack).length === 0, "the leash is still there", { withinMs: 2000 });
  assert.equal(await rack.network.namespace.run("ss", ["-Hlntu"]), "");
  assert.equal(existsSync(rack.socket), false, "the socket is still there");
  const state = await readdir(rack.stateDirectory);
  // SQLite removes its log when the last connection has written it into the database (sqlite.org/wal.html).
  assert.deepEqual(
    state.filter((name) => /^pallet\.sqlite-/.test(name)),
    [],
  );
  const images = await readdir(path.join(rack.stateDirectory, "images"));
  assert.deepEqual(
    images.filter((name) => name.startsWith(".")),
    [],
  );
  await assertDetachedBelow(rack.folder);
}

async function startAgain(rack: Rack): Promise<void> {
  const from = rack.controller.log.mark();
  await rack.startController();
  await rack.controller.log.waitFor(/"msg":"serving"/, { from });
}

describe("controller serve is ended", { ...requires("root"), timeout: 900_000 }, () => {
  // The kernel's NFS server is not run by the controller and outlives it: nodes live on it.
  for (const [title, settings, runs] of [
    ["while it runs nothing else", {}, []],
    ["with a DHCP server", { dhcp: server }, ["dnsmasq"]],
    ["with proxy DHCP", { dhcp: { mode: "proxy", interface: "rack" } }, ["dnsmasq"]],
    ["with nfs-ganesha", { nfs }, ["ganesha.nfsd", "rpcbind", "unshare"]],
    ["with all that it can run", { dhcp: server, nfs }, ["dnsmasq", "ganesha.nfsd", "rpcbind", "unshare"]],
  ] as const) {
    it(title, async () => {
      await using rack = await createRack({ nodes: 0, settings });
      await rack.controller.log.waitFor(/"msg":"serving"/);
      for (const [way, end] of Object.entries(ways)) {
        const ran = await assertEndsInOrder(rack, end);
        const names = new Set(ran.map(({ name }) => name).filter((name) => name !== "sh"));
        assert.deepEqual([...names].sort(), runs, way);
        await startAgain(rack);
      }
    });
  }

  it("at once by a second signal, and then nothing outlives it either", async () => {
    await using rack = await createRack({ nodes: 0, settings: { dhcp: server, nfs } });
    await rack.controller.log.waitFor(/"msg":"serving"/);
    const gone = rack.controller.gone();
    const pid = rack.controller.pid() ?? 0;
    // What it ends in order does not end: else it may be gone before the second signal comes.
    const isDnsmasq = ({ name }: Running): boolean => name === "dnsmasq";
    await until(() => processesOf(rack).some(isDnsmasq), "dnsmasq does not run");
    for (const held of processesOf(rack).filter(isDnsmasq)) process.kill(held.pid, "SIGSTOP");
    rack.controller.log.waitFor(/shutting down/).then(() => process.kill(pid, "SIGTERM"));
    process.kill(pid, "SIGTERM");
    assert.equal(await gone, 143);
    await until(
      () => processesOf(rack).length === 0,
      () => JSON.stringify(processesOf(rack)),
    );
  });
});

describe("controller serve is ended", { ...requires("root", "loop devices"), timeout: 900_000 }, () => {
  let rack: Rack;
  let raw: Buffer;
  let images: string;
  let main: string;
  /** Callers whose file does not end: what the controller does with it so far is what is cut off. */
  const callers: { readonly process: ChildProcess; readonly end: Promise<{ code: number | null }> }[] = [];

  before(async () => {
    ({ controller: main } = await bundledPrograms());
    // dnsmasq, because it is by another program that the end in order was taken away.
    rack = await createRack({ nodes: 0, settings: { dhcp: server } });
    images = path.join(rack.stateDirectory, "images");
    const image = await makeTinyImage({ folder: rack.folder, name: "tiny", bulkBytes: 64 * MiB });
    const file = await open(image.path);
    raw = await file.readFile();
    await file.close();
    await rack.palletOk("images", "add", image.path, "--name", "old");
  });
  after(() => rack?.close());

  /** Starts a command that reads the bytes from its standard input, which then stays open unless told. */
  function call(args: readonly string[], bytes: Buffer, thenEnds = false): void {
    const command = [main, ...args, "--socket", rack.socket];
    const child = spawn(process.execPath, command, { stdio: ["pipe", "ignore", "ignore"] });
    child.stdin.on("error", () => undefined);
    child.stdin.write(bytes);
    if (thenEnds) child.stdin.end();
    callers.push({ process: child, end: ended(child) });
  }

  async function assertCallersRefused(): Promise<void> {
    for (const { process: caller, end } of callers.splice(0)) {
      caller.stdin?.end();
      assert.equal((await end).code, 1);
    }
  }

  async function unfinished(): Promise<string[]> {
    return (await readdir(images)).filter((name) => name.startsWith(".")).map((name) => path.join(images, name));
  }

  async function holdsBytes(): Promise<boolean> {
    for (const folder of await unfinished())
      for (const entry of await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []))
        if (entry.isFile()) return true;
    return false;
  }

  const runs = (name: string) => processesOf(rack).some((each) => each.name === name);
  const tree = async (): Promise<Buffer> => {
    const folder = path.join(rack.folder, "tree");
    await rm(folder, { recursive: true, force: true });
    for (const name of ["etc", "sbin", "usr/lib"]) await mkdir(path.join(folder, name), { recursive: true });
    await writeFile(path.join(folder, "etc/os-release"), 'PRETTY_NAME="Next"\nNAME="Next"\nID=next\n');
    await symlink("/bin/true", path.join(folder, "sbin/init"));
    // Some time for rsync(1) to compare and to copy.
    for (let number = 0; number < 60; number++)
      await writeFile(path.join(folder, `usr/lib/${number}`), randomBytes(MiB));
    const archive = spawn("tar", ["--create", "--directory", folder, "."], { stdio: ["ignore", "pipe", "ignore"] });
    return Buffer.concat(await Array.fromAsync(archive.stdout));
  };

  /** What goes on, and how one knows that it does. */
  const work: Record<string, { start(): void | Promise<void>; goesOn(): boolean | Promise<boolean> }> = {
    "an image is being received": {
      start: () => call(["images", "add", "-", "--name", "cut"], raw.subarray(0, 40 * MiB)),
      goesOn: holdsBytes,
    },
    "three images are being decompressed": {
      start() {
        for (const [name, program] of [
          ["gz", "gzip"],
          ["xz", "xz"],
          ["zst", "zstd"],
        ] as const) {
          const args = program === "xz" ? ["-0", "-c"] : ["-1", "-c"];
          const compressor = spawn(program, args, { stdio: ["pipe", "pipe", "ignore"] });
          compressor.stdin.end(raw.subarray(0, 24 * MiB));
          Array.fromAsync(compressor.stdout).then((parts) => {
            const bytes = Buffer.concat(parts);
            call(["images", "add", "-", "--name", name], bytes.subarray(0, bytes.length - MiB));
          });
        }
      },
      goesOn: async () => (await unfinished()).length === 3 && runs("xz") && (await holdsBytes()),
    },
    "an image is being packed": {
      start: () => call(["images", "add", "-", "--name", "packed"], raw, true),
      goesOn: async () => {
        for (const folder of await unfinished()) if (existsSync(path.join(folder, "image.zst"))) return true;
        return false;
      },
    },
    "the archive for a derived image is being unpacked": {
      start: async () =>
        call(["images", "derive", "cut", "--from", "old", "--with", "-"], (await tree()).subarray(0, 40 * MiB)),
      goesOn: () => runs("tar"),
    },
    "a derived image is mounted and written": {
      start: async () => call(["images", "derive", "cut", "--from", "old", "--with", "-"], await tree(), true),
      goesOn: () => runs("rsync"),
    },
  };

  for (const [title, { start, goesOn }] of Object.entries(work)) {
    it(`while ${title}, and nothing stays of it`, async () => {
      // The same content under another name would be done at once.
      raw.write(title.slice(0, 64), 600, "latin1");
      await start();
      await until(goesOn, "it does not go on", { everyMs: 5 });
      await assertEndsInOrder(rack, ways.SIGTERM);
      await assertCallersRefused();
      await startAgain(rack);
    });

    it(`by SIGKILL while ${title}, and the next one clears it away`, async () => {
      await start();
      await until(goesOn, "it does not go on", { everyMs: 5 });
      await rack.controller.kill();
      await until(
        () => processesOf(rack).length === 0,
        () => `it is outlived by ${JSON.stringify(processesOf(rack))}`,
      );
      await assertCallersRefused();
      assert.notDeepEqual(await unfinished(), []);
      await startAgain(rack);
      assert.deepEqual(await unfinished(), []);
      await assertDetachedBelow(rack.folder);
    });
  }

  it("by SIGKILL, and the next one leaves alone what another process is still filling", async () => {
    await withUnfinishedFolder(images, async (folder) => {
      await writeFile(path.join(folder, "image.raw"), "in the making");
      await rack.controller.kill();
      const from = rack.controller.log.mark();
      await startAgain(rack);
      assert.equal(readFileSync(path.join(folder, "image.raw"), "utf8"), "in the making");
      assert.match(rack.controller.log.text().slice(from), /is left alone: another process is filling it/);
    });
  });
});
