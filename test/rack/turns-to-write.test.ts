// Nodes that share the way to the controller: turns to write, and a cap on all that is sent.
import assert from "node:assert/strict";
import { afterEach, describe, it } from "node:test";
import { RolloutState } from "../../proto/gen/pallet/v1/rollout.ts";
import { requires } from "../requirements.ts";
import { makeTinyImage, type TinyImage } from "../tiny-image.ts";
import { assertHoldsImage } from "./card-content.ts";
import { createRack, type Rack, type RackOptions } from "./rack.ts";
import { end, startReimage, tell } from "./story.ts";

const MiB = 1024 * 1024;
const bulkBytes = 8 * MiB;

/** When each write began, and when each ended, in milliseconds since the epoch. */
async function writesOf(rack: Rack): Promise<{ readonly begun: readonly number[]; readonly ended: readonly number[] }> {
  const begun: number[] = [];
  const ended: number[] = [];
  for (const { message, time } of await rack.client.events()) {
    if (message.startsWith("writing image to ")) begun.push(time?.getTime() ?? 0);
    else if (message.includes("is written and verified")) ended.push(time?.getTime() ?? 0);
  }
  return { begun, ended };
}

/** How many writes went on at once at most. */
function mostAtOnce({ begun, ended }: Awaited<ReturnType<typeof writesOf>>): number {
  const changes = [...begun.map((at) => ({ at, by: 1 })), ...ended.map((at) => ({ at, by: -1 }))];
  let now = 0;
  return Math.max(...changes.toSorted((a, b) => a.at - b.at || a.by - b.by).map(({ by }) => (now += by)));
}

describe("nodes that share the way to the controller", requires("root", "loop devices"), () => {
  let rack: Rack;
  afterEach(() => rack?.close());

  const start = async (options: RackOptions): Promise<TinyImage> => {
    rack = await createRack(options);
    const image = await makeTinyImage({ folder: rack.folder, name: "image", bulkBytes });
    await rack.palletOk("images", "add", image.path, "--name", "image");
    return image;
  };

  it("write two at a time, where two may, and are all proved", { timeout: 600_000 }, async () => {
    const image = await start({ nodes: 5, settings: { limits: { writers: 2, perNode: "5 MB/s" } } });
    await tell(rack, async () => {
      await rack.powerOnAll();
      // Nobody is done before a busy machine has started a command and has answered it.
      await Promise.all(rack.boards.map((board) => board.limitNetwork(128 * 1024)));
      const id = await startReimage(rack, "--all");
      const waiting = await rack.client.rollout(id, ({ reimages }) =>
        reimages.some(({ waitingFor }) => waitingFor !== ""),
      );
      const why = waiting.reimages.map(({ waitingFor }) => waitingFor).find((words) => words !== "");
      assert.equal(why, "2 nodes are writing, and limits.writers is 2");
      assert.match(
        await rack.palletOk("status"),
        /\n *uplink .*2 nodes writing of at most 2, [123] waiting to write\n/,
      );
      await Promise.all(rack.boards.map((board) => board.limitNetwork(undefined)));
      const rollout = await end(rack, id, 200_000);
      assert.equal(rollout.state, RolloutState.ROLLOUT_STATE_SUCCEEDED);
      assert.equal(mostAtOnce(await writesOf(rack)), 2);
      for (const { card } of rack.boards) await assertHoldsImage(card, image);
    });
  });

  it("get together what all of them may, and no more", { timeout: 600_000 }, async () => {
    const totalBytesPerSecond = 15_000_000;
    const image = await start({ nodes: 3, settings: { limits: { total: "120 Mbit/s" } } });
    await tell(rack, async () => {
      await rack.powerOnAll();
      const rollout = await end(rack, await startReimage(rack, "--all"), 200_000);
      assert.equal(rollout.state, RolloutState.ROLLOUT_STATE_SUCCEEDED);
      // What does not compress has to come through, whatever else does. How many share it depends on what each has shown
      // that it takes, which is another thing on a busy machine: test/unit/controller/uplink/choose-writers.test.ts.
      const { begun, ended } = await writesOf(rack);
      const spanMs = Math.max(...ended) - Math.min(...begun);
      assert.ok(spanMs >= ((3 * bulkBytes) / totalBytesPerSecond) * 1000, `${spanMs} ms`);
      for (const { card } of rack.boards) await assertHoldsImage(card, image);
    });
  });
});
