// Rollouts that end before they touch a card, and a proof that comes after its rollout has ended.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { setTimeout } from "node:timers/promises";
import { BootTarget, RolloutRequest } from "../../proto/gen/pallet/v1/controller.ts";
import { AgentRole } from "../../proto/gen/pallet/v1/node.ts";
import { ReimagePhase, ReimageVerdict, RolloutState } from "../../proto/gen/pallet/v1/rollout.ts";
import { ask } from "../../proto/grpc/call.ts";
import { requires } from "../requirements.ts";
import { makeTinyImage } from "../tiny-image.ts";
import { until } from "../until.ts";
import type { Board } from "./board.ts";
import { createRack, type Rack } from "./rack.ts";
import { end, reimageOf, startReimage, tell, wentSilent } from "./story.ts";

async function nodeOf(rack: Rack, board: Board) {
  const node = (await rack.client.nodes()).find(({ nodeId }) => nodeId === board.mac);
  assert.ok(node !== undefined);
  return node;
}

describe("a rollout that ends before it touches a card", requires("root", "loop devices"), () => {
  let rack: Rack;
  before(async () => {
    rack = await createRack({ nodes: 3, settings: { heartbeatIntervalMs: 1000 } });
    const image = await makeTinyImage({ folder: rack.folder, name: "image" });
    await rack.palletOk("images", "add", image.path, "--name", "image");
    await rack.powerOnAll();
    await rack.palletOk("reimage", "--all", "--yes");
  });
  after(() => rack.close());

  /** These boards boot within seconds: by then one that was told to reboot has gone down. */
  const settlingMs = 8000;

  async function assertInItsSystem(board: Board): Promise<void> {
    await setTimeout(settlingMs);
    const runs = async () => {
      const { online, agent } = await nodeOf(rack, board);
      return online && agent?.role === AgentRole.AGENT_ROLE_RESIDENT;
    };
    await until(runs, `${board.mac} does not run its own system`, { withinMs: 120_000, everyMs: 500 });
    const node = await nodeOf(rack, board);
    assert.equal(node.bootTarget, BootTarget.BOOT_TARGET_LOCAL);
    assert.equal(node.provedImageName, "image");
  }

  it("leaves two running nodes and one that is off on their systems when it is cancelled", { timeout: 300_000 }, () =>
    tell(rack, async () => {
      const [one, two, off] = [rack.board(1), rack.board(2), rack.board(3)];
      await off.powerOff();
      await wentSilent(rack, off);
      const { service } = rack.client;
      const soon = { timeoutMs: 60_000 };
      const request = RolloutRequest.fromPartial({ all: true, imageName: "image" });
      // By the API, without a word in between: these boards reboot and write within seconds.
      const started = await ask(service, service.startRollout, { rolloutId: "", rollout: request }, soon);
      const id = started.rollout?.rolloutId ?? "";
      const { summary } = await ask(service, service.cancelRollout, { rolloutId: id }, soon);
      assert.deepEqual([summary?.untouched, summary?.goingBack], [3, 2]);
      const rollout = await end(rack, id);
      for (const board of [one, two, off])
        assert.equal(reimageOf(rollout, board).verdict, ReimageVerdict.REIMAGE_VERDICT_UNTOUCHED);
      for (const board of [one, two]) await assertInItsSystem(board);
      const mark = off.console.mark();
      await off.powerOn();
      await off.console.waitFor(/"role":"resident".*"msg":"registered"/, { from: mark });
      await assertInItsSystem(off);
      assert.match(await rack.palletOk("cancel", id), /3 nodes failed or cancelled before/);
      assert.match(await rack.palletOk("node", "show", one.mac), /last reimage +cancelled, untouched, by rollout/);
    }),
  );

  it("sends a node back that the preflight refuses once it is in the agent", { timeout: 300_000 }, () =>
    tell(rack, async () => {
      const board = rack.board(1);
      const mark = board.console.mark();
      const { service } = rack.client;
      const request = RolloutRequest.fromPartial({ nodes: [board.mac], imageName: "image", disk: "/dev/sdz" });
      const { rollout } = await ask(
        service,
        service.startRollout,
        { rolloutId: "", rollout: request },
        { timeoutMs: 60_000 },
      );
      const ended = await end(rack, rollout?.rolloutId ?? "");
      const { phase, verdict } = reimageOf(ended, board);
      assert.equal(phase, ReimagePhase.REIMAGE_PHASE_FAILED);
      assert.equal(verdict, ReimageVerdict.REIMAGE_VERDICT_UNTOUCHED);
      await board.console.waitFor(/"role":"netboot".*"msg":"registered"/, { from: mark });
      await assertInItsSystem(board);
    }),
  );
});

describe("a proof that comes after its rollout has failed", requires("root", "loop devices"), () => {
  let rack: Rack;
  before(async () => {
    rack = await createRack({ nodes: 1, settings: { reimage: { proveTimeoutMs: 8000, longestBootMs: 8000 } } });
    const image = await makeTinyImage({ folder: rack.folder, name: "image" });
    await rack.palletOk("images", "add", image.path, "--name", "image");
    await rack.powerOnAll();
  });
  after(() => rack.close());

  it("counts, and the node boots its system from then on", { timeout: 300_000 }, () =>
    tell(rack, async () => {
      const board = rack.board(1);
      board.failNextReboot();
      const id = await startReimage(rack, board.mac);
      const failed = reimageOf(await end(rack, id, 120_000), board);
      assert.equal(failed.phase, ReimagePhase.REIMAGE_PHASE_FAILED);
      assert.equal(failed.verdict, ReimageVerdict.REIMAGE_VERDICT_UNPROVED);
      assert.equal((await nodeOf(rack, board)).bootTarget, BootTarget.BOOT_TARGET_AGENT);
      await rack.palletOk("boot", board.mac, "local", "--image", "image");
      await board.powerOn();
      await rack.client.event(({ type, message }) => type === "reimage-proved" && message.includes(", late: "));
      const [rollout] = await rack.client.rollouts();
      assert.equal(rollout?.state, RolloutState.ROLLOUT_STATE_SUCCEEDED);
      assert.equal(rollout && reimageOf(rollout, board).verdict, ReimageVerdict.REIMAGE_VERDICT_PROVED_LATE);
      const node = await nodeOf(rack, board);
      assert.equal(node.bootTarget, BootTarget.BOOT_TARGET_LOCAL);
      assert.equal(node.provedImageName, "image");
    }),
  );
});
