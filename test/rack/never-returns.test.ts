// A node that does not come back from its reboot.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { BootTarget } from "../../proto/gen/pallet/v1/controller.ts";
import { FailureReason } from "../../proto/gen/pallet/v1/failure.ts";
import { ReimagePhase, RolloutState } from "../../proto/gen/pallet/v1/rollout.ts";
import { requires } from "../requirements.ts";
import { createRack, type Rack } from "./rack.ts";
import { reimageOf, tell } from "./story.ts";
import { makeTinyImage } from "./tiny-image.ts";

describe("a node that never comes back", requires("root", "loop devices"), () => {
  let rack: Rack;
  before(async () => {
    rack = await createRack({ nodes: 2, settings: { reimage: { proveTimeoutMs: 10_000 } } });
    const image = await makeTinyImage({ folder: rack.folder, name: "image" });
    await rack.palletOk("images", "add", image.path, "--name", "image");
    await rack.powerOnAll();
  });
  after(() => rack.close());

  it(
    "fails the rollout by name, gets target agent, and comes back into it once it has power",
    { timeout: 120_000 },
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
        const node = (await rack.client.nodes()).find(({ nodeId }) => nodeId === lost.mac);
        assert.equal(node?.bootTarget, BootTarget.BOOT_TARGET_AGENT);
        assert.equal(node?.online, false);

        const mark = lost.console.mark();
        await lost.powerOn();
        await lost.console.waitFor(/"role":"netboot"/, { from: mark });
      }),
  );
});
