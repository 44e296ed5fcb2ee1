// A controller that comes back under another address finds its agents, and they find it.
import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { after, before, describe, it } from "node:test";
import { RolloutState } from "../../proto/gen/pallet/v1/rollout.ts";
import { requires } from "../requirements.ts";
import { makeTinyImage, type TinyImage } from "../tiny-image.ts";
import { assertHoldsImage } from "./card-content.ts";
import { createRack, type Rack } from "./rack.ts";
import { end, isWriting, reimageOf, startReimage, tell } from "./story.ts";

const MiB = 1024 * 1024;

describe("a controller that comes back under another address", requires("root", "loop devices"), () => {
  let rack: Rack;
  let image: TinyImage;

  before(async () => {
    rack = await createRack({ nodes: 2 });
    image = await makeTinyImage({ folder: rack.folder, name: "bulky", bulkBytes: 12 * MiB });
    await rack.palletOk("images", "add", image.path, "--name", "bulky");
    await rack.powerOnAll();
  });
  after(() => rack.close());

  /** Its machine has another address from now on, and nobody answers at the old one. */
  async function move(address: string): Promise<void> {
    const config = path.join(rack.folder, "controller.yaml");
    const text = await readFile(config, "utf8");
    await rack.controller.kill();
    await writeFile(config, text.replaceAll(rack.network.address, address));
    await rack.network.moveTo(address);
    await rack.startController();
  }

  it("goes on with the write that it left, and hears of the nodes that did nothing", { timeout: 480_000 }, () =>
    tell(rack, async () => {
      const [writing, idle] = [rack.board(1), rack.board(2)];
      await writing.limitNetwork(2 * MiB);
      const id = await startReimage(rack, writing.mac, "--image", "bulky", "--full");
      await rack.client.rollout(id, isWriting(writing, 2 * MiB));
      await writing.limitNetwork(MiB / 8);
      const events = await rack.client.events();
      await move("10.77.0.2");
      await writing.limitNetwork(undefined);
      const rollout = await end(rack, id, 150_000);
      assert.equal(rollout.state, RolloutState.ROLLOUT_STATE_SUCCEEDED, reimageOf(rollout, writing).failure?.message);
      assert.equal(reimageOf(rollout, writing).attempts, 1, "the write that ran is the one that ended");
      await assertHoldsImage(writing.card, image);
      // It never restarted, and reports by itself.
      await idle.console.waitFor(/"controller":"10\.77\.0\.2:7700","msg":"registered"/);
      const [node] = (await rack.client.nodes()).filter(({ nodeId }) => nodeId === idle.mac);
      assert.deepEqual([node?.online, node?.address], [true, idle.address]);
      const later = (await rack.client.events()).slice(events.length);
      assert.deepEqual(
        later.filter(({ nodeId, type }) => nodeId === idle.mac && type.startsWith("boot")),
        [],
      );
    }),
  );
});
