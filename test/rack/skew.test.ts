// Today's controller with agents of an earlier commit, and a controller of that commit with today's agents.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { version } from "../../agent/version.ts";
import { FailureReason } from "../../proto/gen/pallet/v1/failure.ts";
import { ReimagePhase } from "../../proto/gen/pallet/v1/rollout.ts";
import { requires } from "../requirements.ts";
import { makeTinyImage } from "../tiny-image.ts";
import { earlierCommit, nodeModules, unpackEarlier } from "./earlier-checkout.ts";
import { createRack, type Rack, type RackOptions } from "./rack.ts";
import { createScratchFolder, type ScratchFolder } from "./scratch-folder.ts";
import { end, reimageOf, startReimage, tell } from "./story.ts";

/** A Pi 3 and a Pi 4 in the agent, and an image of an ordinary system: with bootcode.bin. */
async function twoPis(options: Partial<RackOptions>): Promise<Rack> {
  const rack = await createRack({ nodes: 2, ...options });
  const image = await makeTinyImage({ folder: rack.folder, name: "image", firmware: true });
  await rack.palletOk("images", "add", image.path, "--name", "image");
  await rack.powerOnAll();
  return rack;
}

describe(`agents of ${earlierCommit} and today's controller`, requires("root", "loop devices"), () => {
  let scratch: ScratchFolder;
  let rack: Rack;
  before(async () => {
    scratch = await createScratchFolder("pallet-skew-");
    const agents = { checkout: await unpackEarlier(scratch.path, "mountpoint"), nodeModules };
    rack = await twoPis({ agents });
  });
  after(async () => {
    await rack?.close();
    await scratch.remove();
  });

  it("are refused what they do not know, by name and before the card is touched", { timeout: 180_000 }, () =>
    tell(rack, async () => {
      const rollout = await end(rack, await startReimage(rack, "--all"));
      for (const board of rack.boards) {
        const { failure } = reimageOf(rollout, board);
        assert.equal(failure?.reason, FailureReason.FAILURE_REASON_UNSUPPORTED);
        assert.match(failure?.message ?? "", /cannot .*grow the root .*\(growth\).*"controller rootfs bake"/);
        assert.ok(
          (await board.card.read(0, 512)).every((byte) => byte === 0),
          "the card was touched",
        );
      }
      assert.match(
        reimageOf(rollout, rack.board(1)).failure?.message ?? "",
        /firmware from booting the card \(disk-firmware\)/,
      );
    }),
  );

  it("do what needs nothing that they do not know", { timeout: 180_000 }, () =>
    tell(rack, async () => {
      const rollout = await end(rack, await startReimage(rack, "--all", "--no-grow"));
      assert.match(reimageOf(rollout, rack.board(1)).failure?.message ?? "", /\(disk-firmware\)/);
      assert.equal(reimageOf(rollout, rack.board(2)).phase, ReimagePhase.REIMAGE_PHASE_PROVED);
      await rack.client.event(({ type, nodeId }) => type === "agent-outdated" && nodeId === rack.board(2).mac);
    }),
  );
});

describe(`today's agents and a controller of ${earlierCommit}`, requires("root", "loop devices"), () => {
  let scratch: ScratchFolder;
  let rack: Rack;
  before(async () => {
    scratch = await createScratchFolder("pallet-skew-");
    rack = await twoPis({ controllerCheckout: await unpackEarlier(scratch.path, "link") });
  });
  after(async () => {
    await rack?.close();
    await scratch.remove();
  });

  it("do everything that it asks for", { timeout: 180_000 }, () =>
    tell(rack, async () => {
      assert.deepEqual(
        (await rack.client.nodes()).map(({ agent }) => agent?.version),
        [version, version],
      );
      const rollout = await end(rack, await startReimage(rack, "--all"));
      for (const board of rack.boards) assert.equal(reimageOf(rollout, board).phase, ReimagePhase.REIMAGE_PHASE_PROVED);
    }),
  );
});
