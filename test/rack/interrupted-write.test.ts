// Whatever happens in the middle of a write, the node is imaged all the same, or says why and comes back by itself.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { BootTarget } from "../../proto/gen/pallet/v1/controller.ts";
import { ReimagePhase, type Rollout, RolloutState } from "../../proto/gen/pallet/v1/rollout.ts";
import { happensAtOnce } from "../at-once.ts";
import { requires } from "../requirements.ts";
import { makeTinyImage, type TinyImage } from "../tiny-image.ts";
import { until } from "../until.ts";
import type { Board } from "./board.ts";
import { assertHoldsImage } from "./card-content.ts";
import { createRack, type Rack } from "./rack.ts";
import { end, hasEnded, isFetching, isWriting, reimageOf, startReimage, tell } from "./story.ts";

const MiB = 1024 * 1024;

describe("a write that is interrupted", requires("root", "loop devices"), () => {
  let rack: Rack;
  let board: Board;
  let image: TinyImage;
  let other: TinyImage;
  const onRack = (title: string, body: () => Promise<void>) => it(title, { timeout: 360_000 }, () => tell(rack, body));

  before(async () => {
    rack = await createRack({ nodes: 1 });
    board = rack.board(1);
    // On a slow network these bytes that do not compress leave a minute to interfere in.
    image = await makeTinyImage({ folder: rack.folder, name: "bulky", bulkBytes: 12 * MiB });
    await rack.palletOk("images", "add", image.path, "--name", "bulky");
    other = await makeTinyImage({ folder: rack.folder, name: "other", bulkBytes: 12 * MiB });
    await rack.palletOk("images", "add", other.path, "--name", "other");
    await rack.powerOnAll();
  });
  after(() => rack.close());

  /** Starts a reimage on a slow network and resolves in the middle of the write. */
  const startSlowly = async (...args: readonly string[]): Promise<string> => {
    await board.limitNetwork(2 * MiB);
    const id = await startReimage(rack, board.mac, ...args);
    await rack.client.rollout(id, isWriting(board, 2 * MiB));
    // It is still going on when a busy machine comes round to interfere.
    await board.limitNetwork(MiB / 8);
    assert.equal(await board.card.hasPartitionTable(), false);
    return id;
  };
  /** The same, of an image that the card may hold already. */
  const startFull = () => startSlowly("--image", "bulky", "--full");
  const assertProved = async (rollout: Rollout, written = image): Promise<void> => {
    assert.equal(rollout.state, RolloutState.ROLLOUT_STATE_SUCCEEDED, reimageOf(rollout, board).failure?.message);
    await assertHoldsImage(board.card, written);
  };

  onRack("by the death of the agent is started again and proved", async () => {
    const id = await startFull();
    await board.killAgent();
    await board.limitNetwork(undefined);
    const rollout = await end(rack, id);
    await assertProved(rollout);
    assert.equal(reimageOf(rollout, board).attempts, 2);
  });

  onRack("by a network that goes and comes back is resumed and proved", async () => {
    const id = await startFull();
    await board.cutNetwork();
    // TCP rides over a short interruption; this one lasts until the agent gives the connection up as broken.
    const connection = ["--no-header", "--tcp", "--numeric", "state", "established", "dport", "=", "7701"];
    const isBroken = async () => (await board.run("ss", connection)) === "";
    await until(isBroken, "the agent keeps the connection", { withinMs: 60_000, everyMs: 250 });
    await rack.client.event(({ type, nodeId }) => type === "node-went-silent" && nodeId === board.mac);
    await board.limitNetwork(undefined);
    await board.restoreNetwork();
    const rollout = await end(rack, id);
    await assertProved(rollout);
    const { attempts, progress } = reimageOf(rollout, board);
    assert.equal(attempts, 1);
    assert.ok((progress?.resumed ?? 0) >= 1, "it was not resumed");
  });

  onRack("by the death of the controller goes on when the controller is back", async () => {
    const id = await startFull();
    await rack.client.rollout(id, isFetching(board));
    await rack.controller.kill();
    await board.limitNetwork(undefined);
    await rack.startController();
    const rollout = await end(rack, id);
    await assertProved(rollout);
    assert.ok((reimageOf(rollout, board).progress?.resumed ?? 0) >= 1, "it was not fetching when the controller died");
  });

  onRack("by an orderly end of the controller goes on when the controller is back", async () => {
    const id = await startFull();
    await rack.client.rollout(id, isFetching(board));
    assert.equal(await rack.controller.stop(), 0);
    await board.limitNetwork(undefined);
    await rack.startController();
    const rollout = await end(rack, id);
    await assertProved(rollout);
    assert.ok((reimageOf(rollout, board).progress?.resumed ?? 0) >= 1, "it was not fetching when the controller ended");
  });

  onRack("by a power cut goes on where it was and is proved", async () => {
    const id = await startSlowly("--image", "other");
    await board.powerOff();
    assert.equal(await board.card.hasPartitionTable(), false);
    await board.limitNetwork(undefined);
    await board.powerOn();
    const rollout = await end(rack, id);
    await assertProved(rollout, other);
    const { attempts, progress } = reimageOf(rollout, board);
    assert.equal(attempts, 2);
    // What was written before the cut, but for the first MiB and what the sample does not tell of the last of it.
    const { written, skipped } = progress ?? {};
    assert.ok(
      (skipped?.done ?? 0n) >= 1n * BigInt(MiB),
      `${skipped?.done} bytes were skipped, ${written?.done} written`,
    );
  });

  onRack("by the operator ends at once, without a partition table and with the node in the agent", async () => {
    const id = await startFull();
    await rack.palletOk("cancel", id);
    // The write itself would continue for a minute.
    const rollout = await happensAtOnce(() => rack.client.rollout(id, hasEnded));
    assert.equal(rollout.state, RolloutState.ROLLOUT_STATE_CANCELLED);
    assert.equal(reimageOf(rollout, board).phase, ReimagePhase.REIMAGE_PHASE_CANCELLED);
    await board.limitNetwork(undefined);
    assert.equal(await board.card.hasPartitionTable(), false);
    const [node] = await rack.client.nodes();
    assert.equal(node?.bootTarget, BootTarget.BOOT_TARGET_AGENT);

    const mark = board.console.mark();
    await rack.palletOk("reboot", board.mac);
    await board.console.waitFor(/warm reboot[\s\S]*"role":"netboot"/, { from: mark });
  });

  onRack("by nobody refuses a second reimage of the same node, naming the first", async () => {
    const id = await startFull();
    const second = await rack.pallet("reimage", board.mac, "--image", "bulky", "--yes");
    assert.equal(second.exitCode, 1);
    assert.match(second.stdout + second.stderr, new RegExp(id));
    await board.limitNetwork(undefined);
    await assertProved(await end(rack, id));
  });
});
