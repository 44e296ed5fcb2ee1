// A management machine that is lost, and another one that becomes its controller by a backup that is older than the rack.
import assert from "node:assert/strict";
import { readFile, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { after, before, describe, it } from "node:test";
import { BootTarget, type Node } from "../../proto/gen/pallet/v1/controller.ts";
import { RolloutState } from "../../proto/gen/pallet/v1/rollout.ts";
import { requires } from "../requirements.ts";
import { makeTinyImage, type TinyImage } from "../tiny-image.ts";
import { until } from "../until.ts";
import type { Board } from "./board.ts";
import { assertHoldsImage } from "./card-content.ts";
import { createRack, type Rack } from "./rack.ts";
import { end, hasEnded, isWriting, startReimage, tell } from "./story.ts";

const MiB = 1024 * 1024;
const spareAddress = "10.77.0.2";
const patience = { withinMs: 240_000, everyMs: 500 };

describe("a controller that is restored on another machine", requires("root", "loop devices"), () => {
  let rack: Rack;
  let older: TinyImage;
  let newer: TinyImage;
  before(async () => {
    // Agents know where another machine would take over.
    rack = await createRack({ nodes: 4, settings: { advertiseAlso: [spareAddress] } });
    older = await makeTinyImage({ folder: rack.folder, name: "older" });
    newer = await makeTinyImage({ folder: rack.folder, name: "newer", bulkBytes: 12 * MiB });
    await rack.palletOk("images", "add", older.path, "--name", "older");
    await rack.palletOk("images", "add", newer.path, "--name", "newer");
    await rack.powerOnAll();
  });
  after(() => rack?.close());

  const nodeOf = async ({ mac }: Board): Promise<Node> => {
    const found = (await rack.client.nodes()).find(({ nodeId }) => nodeId === mac);
    assert.ok(found, mac);
    return found;
  };
  const runs = (board: Board, image: string) => async (): Promise<boolean> => {
    const { online, provedImageName, bootTarget } = await nodeOf(board);
    return online && provedImageName === image && bootTarget === BootTarget.BOOT_TARGET_LOCAL;
  };

  it("takes over the rack: nobody boots into the installer for it, and no card is written", { timeout: 900_000 }, () =>
    tell(rack, async () => {
      const [still, changed, off, writing] = [rack.board(1), rack.board(2), rack.board(3), rack.board(4)];
      const three = [still, changed, off].map(({ mac }) => mac);
      await rack.palletOk("reimage", ...three, "--image", "older", "--yes");
      await rack.palletOk("node", "rename", still.mac, "web-1");
      await rack.palletOk("node", "label", "web-1", "rack=a");
      const authority = await rack.palletOk("ca", "show", "--json");

      // In the middle of a rollout, of which one node writes and the other waits.
      await writing.limitNetwork(2 * MiB);
      const interrupted = await startReimage(rack, writing.mac, "--image", "newer", "--full");
      await rack.client.rollout(interrupted, isWriting(writing, 2 * MiB));
      const file = path.join(rack.folder, "backup.tar.zst");
      const told = await rack.palletOk("backup", file, "--with-images");
      assert.match(told, /backup\.tar\.zst: 4 nodes/);

      // The world goes on: what was being written is proved, and two others get another system.
      await writing.limitNetwork(undefined);
      assert.equal((await end(rack, interrupted, 150_000)).state, RolloutState.ROLLOUT_STATE_SUCCEEDED);
      await rack.palletOk("reimage", changed.mac, off.mac, "--image", "newer", "--yes");
      await off.powerOff();

      // The machine is gone, with its address.
      await rack.controller.kill();
      await rm(rack.stateDirectory, { recursive: true });
      const config = path.join(rack.folder, "controller.yaml");
      const text = await readFile(config, "utf8");
      await writeFile(config, text.replace(`listen: ${rack.network.address}`, `listen: ${spareAddress}`));
      await rack.network.moveTo(spareAddress);
      const marks = new Map([still, changed, writing].map((board) => [board, board.console.mark()]));
      const restored = await rack.pallet("restore", file, "--config", config);
      assert.equal(restored.exitCode, 0, restored.stderr);
      assert.match(restored.stderr, new RegExp(`rollout ${interrupted} had not ended and will be cancelled`));
      await rack.startController();

      // All that was known is known again.
      assert.equal(await rack.palletOk("ca", "show", "--json"), authority);
      const { name, labels, accepted } = await nodeOf(still);
      assert.deepEqual([name, labels, accepted], ["web-1", [{ key: "rack", value: "a" }], true]);
      const message = (await rack.client.event(({ type }) => type === "state-restored")).message;
      assert.match(message, new RegExp(`cancelled: rollout ${interrupted}$`));

      // And what happened since then the nodes say themselves, by certificates that still count.
      await until(runs(still, "older"), "the node that nobody touched is not heard", patience);
      await until(
        runs(changed, "newer"),
        "a node that was reimaged since the backup is taken for its former self",
        patience,
      );
      await until(runs(writing, "newer"), "a node that was being written counts as lost", patience);
      assert.ok(hasEnded(await rack.client.rollout(interrupted, hasEnded, { timeoutMs: 120_000 })));
      for (const [board, mark] of marks) assert.doesNotMatch(board.console.text().slice(mark), /"role":"netboot"/);

      // The one that was off boots what the backup says, does not come up by that, and is found out by its card.
      await off.powerOn();
      await until(
        runs(off, "newer"),
        "a node that was off, and reimaged since the backup, does not come back",
        patience,
      );

      for (const board of [changed, off, writing]) await assertHoldsImage(board.card, newer);
      await assertHoldsImage(still.card, older);
      const rollouts = await rack.client.rollouts();
      assert.ok(rollouts.every(hasEnded));
      assert.equal(rollouts.length, 2, "the backup's, and no other");

      // A power cut leads back into its own system.
      const mark = still.console.mark();
      await still.powerOff();
      await still.powerOn();
      await still.console.waitFor(/"role":"(netboot|resident)"/, { from: mark });
      assert.match(still.console.text().slice(mark), /"role":"resident"/);
    }),
  );
});
