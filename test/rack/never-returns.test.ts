// Nodes that do not come back from their reboot as what they should be.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { BootTarget } from "../../proto/gen/pallet/v1/controller.ts";
import { FailureReason } from "../../proto/gen/pallet/v1/failure.ts";
import { ReimagePhase, RolloutState } from "../../proto/gen/pallet/v1/rollout.ts";
import { requires } from "../requirements.ts";
import { makeTinyImage, type TinyImage } from "../tiny-image.ts";
import { createRack, type Rack } from "./rack.ts";
import { end, reimageOf, startReimage, tell, wentSilent } from "./story.ts";

describe("a node that never comes back", requires("root", "loop devices"), () => {
  let rack: Rack;
  before(async () => {
    // The other board has to be back by then, on a busy machine too.
    rack = await createRack({ nodes: 2, settings: { reimage: { proveTimeoutMs: 30_000 } } });
    const image = await makeTinyImage({ folder: rack.folder, name: "image" });
    await rack.palletOk("images", "add", image.path, "--name", "image");
    await rack.powerOnAll();
  });
  after(() => rack.close());

  it(
    "fails the rollout by name, gets target agent, and comes back into it once it has power",
    { timeout: 600_000 },
    () =>
      tell(rack, async () => {
        const [lost, well] = [rack.board(1), rack.board(2)];
        lost.failNextReboot();
        const { exitCode, stdout, stderr } = await rack.pallet("reimage", "--all", "--yes");
        assert.equal(exitCode, 1, stdout + stderr);
        const [rollout] = await rack.client.rollouts();
        assert.ok(rollout !== undefined);
        assert.equal(rollout.state, RolloutState.ROLLOUT_STATE_FAILED);
        assert.equal(reimageOf(rollout, well).phase, ReimagePhase.REIMAGE_PHASE_PROVED);
        const { phase, failure, nodeName } = reimageOf(rollout, lost);
        assert.equal(phase, ReimagePhase.REIMAGE_PHASE_FAILED);
        assert.equal(failure?.reason, FailureReason.FAILURE_REASON_NODE_SILENT);
        assert.match(stdout + stderr, new RegExp(`${nodeName}.*`));
        await wentSilent(rack, lost);
        const node = (await rack.client.nodes()).find(({ nodeId }) => nodeId === lost.mac);
        assert.equal(node?.bootTarget, BootTarget.BOOT_TARGET_AGENT);
        assert.equal(node?.online, false);

        const mark = lost.console.mark();
        await lost.powerOn();
        await lost.console.waitFor(/"role":"netboot"/, { from: mark });
      }),
  );
});

describe("a node whose card forgets what was verified", requires("root", "loop devices"), () => {
  let rack: Rack;
  let image: TinyImage;
  before(async () => {
    // The board has to ask what to boot before, while it is still its card.
    rack = await createRack({ nodes: 1, settings: { reimage: { proveTimeoutMs: 30_000 } } });
    image = await makeTinyImage({ folder: rack.folder, name: "image" });
    await rack.palletOk("images", "add", image.path, "--name", "image");
    await rack.powerOnAll();
  });
  after(() => rack.close());

  it("is not taken for done, and comes back into the agent by itself", { timeout: 600_000 }, () =>
    tell(rack, async () => {
      const board = rack.board(1);
      board.failNextReboot();
      const id = await startReimage(rack, board.mac);
      await board.console.waitFor(/the power supply fails/);
      await board.card.write(image.root.offsetBytes, Buffer.alloc(64 * 1024));
      const mark = board.console.mark();
      await board.powerOn();

      const rollout = await end(rack, id);
      assert.equal(rollout.state, RolloutState.ROLLOUT_STATE_FAILED);
      // The kernel reboots some seconds after its panic, and finds that its boot target is the agent again.
      await board.console.waitFor(/Unable to mount root fs[\s\S]*warm reboot[\s\S]*"role":"netboot"/, { from: mark });
      const [node] = await rack.client.nodes();
      assert.equal(node?.bootTarget, BootTarget.BOOT_TARGET_AGENT);
      assert.equal(node?.provedImageDigest, "");
    }),
  );
});
