// A state folder whose disk is full, or that became read-only, under a controller that runs.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdir, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { after, before, describe, it } from "node:test";
import { promisify } from "node:util";
import type { Node } from "../../proto/gen/pallet/v1/controller.ts";
import { requires } from "../requirements.ts";
import { makeTinyImage } from "../tiny-image.ts";
import { until } from "../until.ts";
import { createRack, type Rack } from "./rack.ts";
import { tell } from "./story.ts";

const run = promisify(execFile);
const MiB = 1024 * 1024;

/** A rack whose state is on a small filesystem of its own, with a node that runs what it proved. */
async function rackOn(mount: (folder: string, state: string) => Promise<unknown>): Promise<Rack> {
  const rack = await createRack({
    nodes: 1,
    async prepareNetwork(_network, folder) {
      const state = path.join(folder, "state");
      await mkdir(state, { recursive: true });
      await mount(folder, state);
      return async () => void (await run("umount", [state]));
    },
  });
  const image = await makeTinyImage({ folder: rack.folder, name: "image" });
  await rack.palletOk("images", "add", image.path, "--name", "image");
  await rack.powerOnAll();
  await rack.palletOk("reimage", "--all", "--yes");
  return rack;
}

async function theNode(rack: Rack): Promise<Node> {
  const [node] = await rack.client.nodes();
  assert.ok(node !== undefined);
  return node;
}

/** Powers the board off and on, and waits for its own system. */
async function powerCycle(rack: Rack): Promise<void> {
  const board = rack.board(1);
  const mark = board.console.mark();
  await board.powerOff();
  await board.powerOn();
  await board.console.waitFor(/"role":"resident".*"msg":"registered"/, { from: mark });
}

describe("a state folder whose disk is full", { ...requires("root", "loop devices"), timeout: 300_000 }, () => {
  let rack: Rack;
  before(async () => {
    rack = await rackOn((_folder, state) => run("mount", ["-t", "tmpfs", "-o", "size=32m", "tmpfs", state]));
  });
  after(() => rack?.close());

  it("is said, stops no boot, and is over without a restart as soon as there is room", () =>
    tell(rack, async () => {
      const { mac } = rack.board(1);
      const filler = path.join(rack.stateDirectory, "filler");
      await rack.palletOk("node", "rename", mac, "before");
      await writeFile(filler, Buffer.alloc(64 * MiB)).catch(() => undefined);

      // There may be room in the write-ahead log for some more.
      let refused = "";
      await until(
        async () => {
          const { exitCode, stderr } = await rack.pallet(
            "node",
            "rename",
            mac,
            `new-${Math.random().toString(36).slice(2)}`,
          );
          refused = stderr;
          return exitCode !== 0;
        },
        "it takes everything",
        { withinMs: 60_000, everyMs: 0 },
      );
      assert.match(refused, /cannot save to \S+state: database or disk is full; free some space there/);
      const kept = (await theNode(rack)).name;
      assert.match(await rack.palletOk("status"), /state: cannot save to \S+state: database or disk is full/);

      // Enough of them to fill what room is left in the log.
      for (let cycle = 0; cycle < 2; cycle++) await powerCycle(rack);
      assert.equal((await theNode(rack)).online, true);

      await rm(filler);
      const saved = await rack.client.event(({ type }) => type === "state-saved");
      assert.match(saved.message, /can save its state again, after \d+ s/);
      const unsaved = (await rack.client.events()).find(({ type }) => type === "state-unsaved");
      assert.ok(unsaved !== undefined);
      // What happened meanwhile was kept, in order, and at its time.
      const meanwhile = (await rack.client.events()).filter(({ id }) => id > unsaved.id && id < saved.id);
      assert.ok(meanwhile.some(({ type }) => type === "node-registered"));
      assert.doesNotMatch(await rack.palletOk("status"), /cannot save/);
      assert.equal((await theNode(rack)).name, kept);
      await rack.palletOk("node", "rename", mac, "after");

      // What was confirmed is there after a crash, and what was refused is not.
      await rack.controller.kill();
      await rack.startController();
      assert.equal((await theNode(rack)).name, "after");
      assert.equal((await theNode(rack)).provedImageName, "image");
      assert.ok(!(await rack.client.events()).some(({ type }) => type === "state-lost"));
    }));

  it("does not keep the controller from ending when told, or from saying why it cannot start", () =>
    tell(rack, async () => {
      const filler = path.join(rack.stateDirectory, "filler");
      await writeFile(filler, Buffer.alloc(64 * MiB)).catch(() => undefined);
      await powerCycle(rack);
      const gone = rack.controller.gone();
      await rack.controller.stop();
      await gone;
      assert.match(rack.controller.log.text(), /error: cannot save to \S+state: database or disk is full/);
      await rm(filler);
      await rack.startController();
      assert.equal((await theNode(rack)).name, "after");
    }));
});

describe("a state folder that became read-only", { ...requires("root", "loop devices"), timeout: 300_000 }, () => {
  let rack: Rack;
  before(async () => {
    rack = await rackOn(async (folder, state) => {
      const disk = path.join(folder, "state.ext4");
      await run("truncate", ["--size", "64M", disk]);
      await run("mkfs.ext4", ["-q", disk]);
      await run("mount", ["-o", "loop,errors=remount-ro", disk, state]);
    });
  });
  after(() => rack?.close());

  it("is said, stops no boot, and no end", () =>
    tell(rack, async () => {
      const { name } = await theNode(rack);
      // What the kernel does after an error of the disk (ext4(5): abort).
      await run("mount", ["-o", "remount,abort", rack.stateDirectory]).catch(() => undefined);
      const { exitCode, stderr } = await rack.pallet("node", "rename", name, "other");
      assert.equal(exitCode, 1);
      assert.match(stderr, /cannot save to \S+state: .*dmesg/);
      assert.equal((await theNode(rack)).name, name);
      assert.match(await rack.palletOk("status"), /state: cannot save to \S+state/);
      await powerCycle(rack);
      assert.equal((await theNode(rack)).online, true);
      const gone = rack.controller.gone();
      await rack.controller.stop();
      await gone;

      const mark = rack.controller.log.mark();
      rack.controller.start();
      assert.equal(await rack.controller.gone(), 1);
      assert.match(
        rack.controller.log.text().slice(mark),
        /cannot use the state database \S+pallet\.sqlite: .*(read-only|writable|dmesg)/,
      );
    }));
});
