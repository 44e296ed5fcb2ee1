// Images of cards: a real controller and a real agent over gRPC, loop devices as cards, and the command line.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { mkdir, mkdtemp, readdir, readFile, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, before, describe, it, type TestContext } from "node:test";
import { credentials } from "@grpc/grpc-js";
import { execa } from "execa";
import { AgentServiceClient } from "../../proto/gen/pallet/v1/agent.ts";
import { ControllerServiceClient } from "../../proto/gen/pallet/v1/controller.ts";
import { EnrollmentServiceClient } from "../../proto/gen/pallet/v1/enrollment.ts";
import { AgentRole } from "../../proto/gen/pallet/v1/node.ts";
import { answer } from "../contract/calls.ts";
import { type AgentProgram, type ControllerProgram, startAgent, startController } from "../contract/processes.ts";
import { acceptanceOf, madeUpRegistration } from "../contract/rpcs/world.ts";
import { bundledPrograms } from "../programs/bundled-programs.ts";
import { type CommandResult, runCommandLine } from "../rack/run-command-line.ts";
import { requires } from "../requirements.ts";
import { aLoopDevice, type LoopDevice } from "../unit/agent/disk/a-loop-device.ts";
import { until } from "../until.ts";
import { type ACard, aCard } from "./capture/a-card.ts";
import { aCutProxy } from "./capture/cut-proxy.ts";

describe("an image of a node's card", requires("root", "loop devices"), () => {
  let controller: ControllerProgram;
  let agent: AgentProgram;
  let service: ControllerServiceClient;
  let enrollment: EnrollmentServiceClient;
  let agentClient: AgentServiceClient;
  let folder: string;
  before(async () => {
    folder = await mkdtemp(path.join(tmpdir(), "pallet-capture-"));
    controller = await startController({ settings: { insecure: true } });
    agent = await startAgent(["--insecure"]);
    service = new ControllerServiceClient(`unix:${controller.socket}`, credentials.createInsecure());
    enrollment = new EnrollmentServiceClient(controller.address, credentials.createInsecure());
    agentClient = new AgentServiceClient(agent.address, credentials.createInsecure());
  });
  after(async () => {
    for (const client of [service, enrollment, agentClient]) client?.close();
    await agent?.kill();
    await controller?.kill();
    await rm(folder, { recursive: true });
  });

  /** A node whose agent is the one of these tests, reached at another port if one is given. Resolves with its name. */
  async function aNode(
    port = Number(agent.address.split(":")[1]),
    role: AgentRole = AgentRole.AGENT_ROLE_NETBOOT,
  ): Promise<string> {
    const request = madeUpRegistration(port);
    const own = await answer(agentClient, agentClient.getNode, {});
    if (request.agent === undefined || own.agent === undefined) throw new Error("no agent");
    request.agent = { ...own.agent, port, role };
    const { name } = await answer(enrollment, enrollment.register, request);
    await answer(service, service.acceptNodes, acceptanceOf([name]));
    return name;
  }

  const run = async (...words: readonly string[]): Promise<CommandResult> =>
    runCommandLine([process.execPath, (await bundledPrograms()).controller, ...words, "--socket", controller.socket]);
  const capture = (name: string, from: string, ...words: readonly string[]): Promise<CommandResult> =>
    run("images", "capture", name, "--from", from, ...words);

  /** What the image store holds of an image, uncompressed, in a file. */
  async function restored(name: string): Promise<string> {
    const file = path.join(folder, `${name}.raw`);
    const stored = path.join(controller.imageDirectory, name, "image.zst");
    await execa("zstd", ["--quiet", "--decompress", "--sparse", "-o", file, stored]);
    return file;
  }

  /** Asserts which of these texts are in a file. */
  async function assertHolds(file: string, expected: Readonly<Record<string, boolean>>): Promise<void> {
    const content = await readFile(file);
    for (const [text, isThere] of Object.entries(expected))
      assert.equal(content.includes(text), isThere, `${text.slice(0, 20)}… in ${file}`);
  }

  async function digestOf(file: string): Promise<string> {
    const hash = createHash("sha256");
    for await (const chunk of createReadStream(file)) hash.update(chunk);
    return hash.digest("hex");
  }

  /** Every file of the root filesystem of a card or an image: path, mode, owner, and content or link. */
  async function filesOf(file: string, { image }: ACard, test: TestContext): Promise<Map<string, string>> {
    const at = await mkdtemp(path.join(folder, "mounted-"));
    const { offsetBytes, lengthBytes } = image.root;
    const options = `ro,norecovery,loop,offset=${offsetBytes},sizelimit=${lengthBytes}`;
    await execa("mount", ["-t", "ext4", "-o", options, file, at]);
    test.after(() => execa("umount", [at], { reject: false }));
    const listing = await execa("find", [at, "-mindepth", "1", "-printf", "%P\\t%y %m %U:%G %l\\n"]);
    const sums = await execa("sh", ["-c", "find . -type f -print0 | sort -z | xargs -0 sha256sum"], { cwd: at });
    const found = new Map(listing.stdout.split("\n").map((line) => line.split("\t") as [string, string]));
    for (const line of sums.stdout.split("\n")) {
      const [sum = "", name = ""] = line.split("  ./");
      found.set(name, `${found.get(name)} ${sum}`);
    }
    await execa("umount", [at]);
    return found;
  }

  /** Writes an image to a card of its own. */
  async function onNewCard(file: string, test: TestContext): Promise<LoopDevice> {
    const device = await aLoopDevice(test, 300);
    await execa("dd", [`if=${file}`, `of=${device.path}`, "bs=1M", "conv=sparse,fsync", "status=none"]);
    await execa("partx", ["--update", device.path]);
    return device;
  }

  it("holds every file of it but Pallet's key, and nothing of what was deleted", { timeout: 300_000 }, async (test) => {
    const card = await aCard(test);
    const { device, image, secrets } = card;
    await assertHolds(device.path, { [secrets.palletKey]: true, [secrets.hostKey]: true, [secrets.deleted]: true });
    const before = await digestOf(device.path);
    const result = await capture("plain", `${await aNode()}:${device.path}`);
    assert.equal(result.exitCode, 0, result.stderr);
    assert.match(result.stdout, /removed from the copy:\n {2}\/etc\/pallet \(/);
    assert.match(result.stdout, /[\d.]+ MiB read, [\d.]+ MiB free and left out/);
    assert.equal(await digestOf(device.path), before, "the card was changed");

    const raw = await restored("plain");
    assert.equal((await stat(raw)).size, image.root.offsetBytes + image.root.lengthBytes, "it ends behind the root");
    await assertHolds(raw, { [secrets.palletKey]: false, [secrets.hostKey]: true, [secrets.deleted]: false });
    const { size } = await stat(path.join(controller.imageDirectory, "plain", "image.zst"));
    assert.ok(size < 8 * 2 ** 20, `the image takes ${size} bytes`);
    const again = await onNewCard(raw, test);
    await execa("e2fsck", ["-f", "-n", `${again.path}p2`]);
    await execa("fsck.vfat", ["-n", `${again.path}p1`]);
    const was = await filesOf(device.path, card, test);
    const own = [...was.keys()].filter((name) => name === "etc/pallet" || name.startsWith("etc/pallet/"));
    assert.equal(own.length, 6);
    for (const name of own) was.delete(name);
    assert.deepEqual(await filesOf(again.path, card, test), was);
    const fatOf = async (file: string): Promise<Map<string, string>> => {
      const at = await mkdtemp(path.join(folder, "fat-"));
      await execa("mcopy", ["-s", "-n", "-i", `${file}@@${image.boot.offsetBytes}`, "::*", at]);
      const names = await readdir(at);
      return new Map(
        await Promise.all(names.map(async (name) => [name, await digestOf(path.join(at, name))] as const)),
      );
    };
    const fat = await fatOf(again.path);
    assert.ok(fat.size > 3);
    assert.deepEqual(fat, await fatOf(device.path));
    const shown = await run("images", "show", "plain");
    assert.match(shown.stdout, new RegExp(`made of +${device.path} of \\S+\\n`));
  });

  it("is any node's when it is generalised, and twice is as once", { timeout: 300_000 }, async (test) => {
    const card = await aCard(test);
    const { device, secrets } = card;
    const node = await aNode();
    const result = await capture("any", `${node}:${device.path}`, "--generalise");
    assert.equal(result.exitCode, 0, result.stderr);
    assert.match(result.stderr, /SSH host keys are gone/);
    const raw = await restored("any");
    await assertHolds(raw, {
      [secrets.palletKey]: false,
      [secrets.hostKey]: false,
      [secrets.deleted]: false,
      "0123456789abcdef0123456789abcdef": false,
    });
    const again = await onNewCard(raw, test);
    await execa("e2fsck", ["-f", "-n", `${again.path}p2`]);
    const [was, is] = [await filesOf(device.path, card, test), await filesOf(again.path, card, test)];
    const gone = [...was.keys()].filter((name) => !is.has(name));
    assert.deepEqual(gone.filter((name) => !name.startsWith("etc/pallet")).toSorted(), [
      "etc/hostname",
      "etc/ssh/ssh_host_ed25519_key",
      "etc/ssh/ssh_host_ed25519_key.pub",
      "usr/lib/pallet/agent",
      "var/lib/systemd/random-seed",
    ]);
    const changed = [...is].flatMap(([name, found]) => (was.get(name) === found ? [] : [name]));
    assert.deepEqual(changed.toSorted(), ["etc/hosts", "etc/inittab", "etc/machine-id"]);
    const textOf = async (name: string): Promise<string> =>
      (await execa("debugfs", ["-R", `cat /etc/${name}`, `${again.path}p2`], { stripFinalNewline: false })).stdout;
    assert.equal(await textOf("hosts"), "127.0.0.1 localhost\n10.0.0.1 gateway\n");
    assert.equal(await textOf("machine-id"), "");
    assert.equal(await textOf("inittab"), "id:2:initdefault:\nsi::sysinit:/etc/rcS\n");

    const second = await capture("any-again", `${node}:${again.path}`, "--generalise", "--json");
    assert.equal(second.exitCode, 0, second.stderr);
    const last = JSON.parse(second.stdout.trimEnd().split("\n").at(-1) ?? "");
    assert.deepEqual(last.image.capture.removed, []);
    assert.deepEqual(await filesOf(await restored("any-again"), card, test), is);
  });

  describe("is refused, with what to do,", () => {
    const refused = async (from: string, says: RegExp, ...words: readonly string[]): Promise<void> => {
      const { exitCode, stderr } = await capture("never", from, ...words);
      assert.equal(exitCode, 1, stderr);
      assert.match(stderr, says);
      assert.ok(!(await readdir(controller.imageDirectory)).some((name) => name === "never" || name.startsWith(".")));
    };

    it("of a card that is mounted", { timeout: 120_000 }, async (test) => {
      const { device } = await aCard(test);
      const at = path.join(device.folder, "at");
      await mkdir(at);
      await execa("mount", ["-o", "ro", `${device.path}p2`, at]);
      try {
        await refused(`${await aNode()}:${device.path}`, /is mounted: .*p2 at .*; unmount .* first/);
      } finally {
        await execa("umount", [at]);
      }
    });
    it("of a card without a partition table", async (test) => {
      const { path: device } = await aLoopDevice(test, 8);
      await refused(
        `${await aNode()}:${device}`,
        /has no partition table; nothing is on it, or the write .* was cut off/,
      );
    });
    it("of a disk that is not there", async () => {
      await refused(`${await aNode()}:/dev/pallet-none`, /no block device \/dev\/pallet-none; its disks are/);
    });
    it("of a node that runs its own system", async () => {
      const node = await aNode(undefined, AgentRole.AGENT_ROLE_RESIDENT);
      await refused(node, /runs its own system.*controller boot \S+ agent, then controller reboot/s);
    });
    it("of what is no node, no disk or no name", async () => {
      await refused("nobody", /nobody/);
      await refused("pi:/srv/disk", /is not NODE or NODE:DISK/);
      const bad = await capture("No Name", await aNode());
      assert.match(bad.stderr, /not a valid image name/);
    });
    it("of a root that cannot be changed, before it is read", { timeout: 120_000 }, async (test) => {
      const { device } = await aCard(test);
      await execa("wipefs", ["--all", "--quiet", `${device.path}p2`]);
      await execa("mkswap", [`${device.path}p2`]);
      await refused(
        `${await aNode()}:${device.path}`,
        /cannot be generalised.*ext2, ext3 and ext4.*2: swap/s,
        "--generalise",
      );
    });
  });

  it("leaves nothing behind when its node goes away in the middle", { timeout: 120_000 }, async (test) => {
    const { device } = await aCard(test);
    const port = Number(agent.address.split(":")[1]);
    const proxy = await aCutProxy(test, port, { afterBytes: 2_500_000, end: "cut" });
    const node = await aNode(proxy.port);
    const { exitCode, stderr } = await capture("torn", `${node}:${device.path}`);
    await proxy.reached;
    assert.equal(exitCode, 1);
    assert.match(stderr, /was gone before all of .* was read, and no image was added/);
    await until(
      async () => !(await readdir(controller.imageDirectory)).some((name) => name.startsWith(".")),
      "left over",
    );
    assert.ok(!(await readdir(controller.imageDirectory)).includes("torn"));
    // Neither is the disk held any more.
    const next = await capture("whole", `${await aNode()}:${device.path}`);
    assert.equal(next.exitCode, 0, next.stderr);
  });

  it("leaves nothing behind when it is cancelled, and the disk to others meanwhile", {
    timeout: 120_000,
  }, async (test) => {
    const { device } = await aCard(test);
    const port = Number(agent.address.split(":")[1]);
    const proxy = await aCutProxy(test, port, { afterBytes: 2_500_000, end: "stall" });
    const call = service.captureImage({
      ...{ name: "given-up", node: await aNode(proxy.port), disk: device.path, generalise: false },
    });
    const end = new Promise((resolve) => call.on("error", () => {}).on("status", resolve));
    call.resume();
    await proxy.reached;
    const second = await capture("second", `${await aNode()}:${device.path}`);
    assert.match(second.stderr, /is being read, to make an image of it: wait until that is done/);
    assert.ok((await readdir(controller.imageDirectory)).some((name) => name.startsWith(".")));
    call.cancel();
    await end;
    await until(
      async () => !(await readdir(controller.imageDirectory)).some((name) => name.startsWith(".")),
      "left over",
    );
    assert.ok(!(await readdir(controller.imageDirectory)).includes("given-up"));
  });
});
