// Twenty nodes at once.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { RolloutState } from "../../proto/gen/pallet/v1/rollout.ts";
import { requires } from "../requirements.ts";
import { makeTinyImage, type TinyImage } from "../tiny-image.ts";
import { assertHoldsImage } from "./card-content.ts";
import { createRack, type Rack } from "./rack.ts";
import { tell } from "./story.ts";

describe("twenty nodes", requires("root", "loop devices"), () => {
  let rack: Rack;
  let image: TinyImage;
  before(async () => {
    rack = await createRack({ nodes: 20, cardBytes: 32 * 1024 * 1024 });
    image = await makeTinyImage({ folder: rack.folder, name: "image" });
    await rack.palletOk("images", "add", image.path, "--name", "image");
  });
  after(() => rack.close());

  it("that are switched on together are all proved by one command", { timeout: 360_000 }, () =>
    tell(rack, async () => {
      await rack.powerOnAll();
      await rack.palletOk("reimage", "--all", "--yes");
      const [rollout] = await rack.client.rollouts();
      assert.equal(rollout?.state, RolloutState.ROLLOUT_STATE_SUCCEEDED);
      assert.equal(rollout.reimages.length, 20);
      const bootIds = new Set(rollout.reimages.map(({ proof }) => proof?.bootId));
      assert.equal(bootIds.size, 20);
      for (const { card } of rack.boards) await assertHoldsImage(card, image);
    }),
  );
});
