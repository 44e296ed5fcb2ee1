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
import { end, reimageOf, startReimage, tell, wentSilent } from "./story.ts";

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
    rack = await twoPis({ agents, settings: { heartbeatIntervalMs: 1000 } });
  });
  after(async () => {
    await rack?.close();
    await scratch.remove();
  });

  const assertUntouched = async (): Promise<void> => {
    for (const board of rack.boards)
      assert.ok(
        (await board.card.read(0, 512)).every((byte) => byte === 0),
        "a card was touched",
      );
  };

  it("are refused what they do not know, by name and in the plan", { timeout: 180_000 }, () =>
    tell(rack, async () => {
      const { exitCode, stdout, stderr } = await rack.pallet("reimage", "--all", "--yes");
      const said = `${stdout}${stderr}`.replaceAll(/\s+/g, " ");
      assert.equal(exitCode, 1, said);
      assert.match(
        said,
        /firmware from booting the card \(disk-firmware\), grow the root .*\(growth\): .*"controller rootfs bake"/,
      );
      assert.match(said, /every node was refused; nothing was erased/);
      await assertUntouched();
    }),
  );

  it("are refused it in the preflight, where the plan could not know who would boot", { timeout: 180_000 }, () =>
    tell(rack, async () => {
      const board = rack.board(2);
      await board.powerOff();
      await wentSilent(rack, board);
      const id = await startReimage(rack, board.mac);
      await board.powerOn();
      const { failure } = reimageOf(await end(rack, id), board);
      assert.equal(failure?.reason, FailureReason.FAILURE_REASON_UNSUPPORTED);
      assert.match(
        failure?.message ?? "",
        /cannot grow the root .*\(growth\): give the nodes .*"controller rootfs bake"/,
      );
      await assertUntouched();
    }),
  );

  it("do what needs nothing that they do not know", { timeout: 180_000 }, () =>
    tell(rack, async () => {
      const board = rack.board(2);
      const { phase } = reimageOf(await end(rack, await startReimage(rack, board.mac, "--no-grow")), board);
      assert.equal(phase, ReimagePhase.REIMAGE_PHASE_PROVED);
      await rack.client.event(({ type, nodeId }) => type === "agent-outdated" && nodeId === board.mac);
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
