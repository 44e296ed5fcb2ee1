// The invariant of the journey: at every instant of it, pulling the plug leaves a node that comes back by itself.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { RolloutState } from "../../proto/gen/pallet/v1/rollout.ts";
import { requires } from "../requirements.ts";
import { makeTinyImage, type TinyImage } from "../tiny-image.ts";
import type { Board } from "./board.ts";
import { assertHoldsImage } from "./card-content.ts";
import { createRack, type Rack } from "./rack.ts";
import { end, reimageOf, startReimage, tell } from "./story.ts";

/** What the console shows at the instants at which the plug is pulled. */
const instants = [
  ["the table is being erased", /"phase":"erasing"/],
  ["the image is being written", /"phase":"writing"/],
  ["the card is being flushed", /"phase":"syncing"/],
  ["the card is being read back", /"phase":"verifying"/],
  ["the root is being grown", /"phase":"customising"/],
  ["the root has been grown, and the stamp is being placed", /"msg":"the root partition of the card"/],
  ["the table is being written", /"phase":"writing-table"/],
  ["the write has ended", /"msg":"operation ended"/],
  ["the node reboots", /rack: warm reboot/],
  ["it loads its new kernel", /U-Boot: booting label local/],
  ["it mounts its new root", /Mounted root/],
] as const;

describe("a plug that is pulled", requires("root", "loop devices"), () => {
  let rack: Rack;
  let board: Board;
  let image: TinyImage;
  before(async () => {
    rack = await createRack({ nodes: 1 });
    board = rack.board(1);
    image = await makeTinyImage({ folder: rack.folder, name: "image" });
    await rack.palletOk("images", "add", image.path, "--name", "image");
    await rack.powerOnAll();
  });
  after(() => rack.close());

  for (const [instant, sign] of instants) {
    it(`when ${instant} leaves a node that comes back and is proved`, { timeout: 90_000 }, () =>
      tell(rack, async () => {
        const mark = board.console.mark();
        const id = await startReimage(rack, board.mac);
        await board.console.waitFor(sign, { from: mark });
        await board.powerOff();
        await board.powerOn();
        const rollout = await end(rack, id);
        const { failure } = reimageOf(rollout, board);
        assert.equal(rollout.state, RolloutState.ROLLOUT_STATE_SUCCEEDED, failure?.message);
        await assertHoldsImage(board.card, image);
      }),
    );
  }
});
