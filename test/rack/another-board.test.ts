// Another board behind a known MAC address, as when a network adapter moves: it is not the node that was known.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { BootTarget, type Node } from "../../proto/gen/pallet/v1/controller.ts";
import { RolloutState } from "../../proto/gen/pallet/v1/rollout.ts";
import { requires } from "../requirements.ts";
import { makeTinyImage } from "../tiny-image.ts";
import { createRack, type Rack } from "./rack.ts";
import { end, startReimage, tell } from "./story.ts";

const cardBytes = 64 * 1024 * 1024;

describe("another board behind the MAC address of a proved node", requires("root", "loop devices"), () => {
  let rack: Rack;
  let own: string;
  let content: Buffer;
  before(async () => {
    rack = await createRack({ nodes: 1, cardBytes });
    const image = await makeTinyImage({ folder: rack.folder, name: "image" });
    await rack.palletOk("images", "add", image.path, "--name", "image");
    await rack.powerOnAll();
    await rack.palletOk("node", "rename", rack.board(1).mac, "pi-1");
    await rack.palletOk("reimage", "--all", "--yes");
    own = rack.board(1).serial;
    await rack.board(1).powerOff();
    content = await rack.board(1).card.read(0, cardBytes);
  });
  after(() => rack?.close());

  async function node(): Promise<Node> {
    const [found] = await rack.client.nodes();
    assert.ok(found !== undefined);
    return found;
  }

  /** Puts the board in the place of what was there, with this on its card, and waits until it is known as this. */
  async function plugIn(serial: string, card: Buffer): Promise<void> {
    const board = rack.board(1);
    await board.powerOff();
    const afterId = (await rack.client.events()).at(-1)?.id ?? 0n;
    board.replace(serial);
    await board.card.write(0, card);
    await board.powerOn();
    await rack.client.event(({ type }) => type === "board-changed", { afterId, timeoutMs: 120_000 });
  }

  it("has none of its names, proofs and permissions, and is not written by --all", { timeout: 480_000 }, () =>
    tell(rack, async () => {
      const blank = Buffer.alloc(cardBytes);
      await plugIn("20ffff01", blank);
      const { name, accepted, bootTarget, provedImageName, replacedBoard } = await node();
      assert.deepEqual([accepted, bootTarget, provedImageName], [false, BootTarget.BOOT_TARGET_AGENT, ""]);
      assert.notEqual(name, "pi-1");
      assert.equal(replacedBoard?.name, "pi-1");
      assert.match(await rack.palletOk("nodes"), new RegExp(`${name} +online +pending`));
      assert.match((await rack.pallet("nodes")).stderr, new RegExp(`controller node accept ${name}`));

      await rack.palletOk("node", "accept", "--all");
      assert.equal((await node()).accepted, false);
      await rack.pallet("reimage", "--all", "--yes");
      assert.ok((await rack.board(1).card.read(0, cardBytes)).equals(blank), "its card was written");
      assert.equal((await rack.client.rollouts()).length, 1);
      const { exitCode, stderr } = await rack.pallet("reimage", "pi-1", "--yes");
      assert.notEqual(exitCode, 0);
      assert.match(stderr, /"pi-1" is not there: .* is another board \(serial number .*20ffff01\)/);
      const byName = await rack.pallet("reimage", name, "--dry-run");
      assert.match(byName.stderr, /is pending: .* is another board \(serial number/);
    }),
  );

  it("leaves everything as it was when the first one comes back", { timeout: 480_000 }, () =>
    tell(rack, async () => {
      const mark = rack.board(1).console.mark();
      await plugIn(own, content);
      const { name, accepted, bootTarget, provedImageName } = await node();
      assert.deepEqual(
        [name, accepted, bootTarget, provedImageName],
        ["pi-1", true, BootTarget.BOOT_TARGET_LOCAL, "image"],
      );
      // It came up in the agent, because of the other board; nobody has to touch it.
      await rack.board(1).console.waitFor(/"role":"resident"/, { from: mark });
    }),
  );

  it("is not written by a reimage that was for the first one, which loses nothing", { timeout: 480_000 }, () =>
    tell(rack, async () => {
      await rack.board(1).powerOff();
      const id = await startReimage(rack, "pi-1");
      const blank = Buffer.alloc(cardBytes);
      await plugIn("20ffff01", blank);
      const { state, reimages } = await end(rack, id);
      assert.equal(state, RolloutState.ROLLOUT_STATE_FAILED);
      assert.match(reimages[0]?.failure?.message ?? "", /serial number .*20ffff01 has the MAC address of pi-1 now/);
      assert.ok((await rack.board(1).card.read(0, cardBytes)).equals(blank), "its card was written");
      await plugIn(own, content);
      const { name, bootTarget, provedImageName } = await node();
      assert.deepEqual([name, bootTarget, provedImageName], ["pi-1", BootTarget.BOOT_TARGET_LOCAL, "image"]);
    }),
  );

  it("takes over the name when it is accepted, but proves its own card", { timeout: 480_000 }, () =>
    tell(rack, async () => {
      await plugIn("20ffff01", Buffer.alloc(cardBytes));
      await rack.palletOk("node", "accept", (await node()).name);
      const { name, accepted, provedImageName, replacedBoard } = await node();
      assert.deepEqual([name, accepted, provedImageName, replacedBoard], ["pi-1", true, "", undefined]);
      await rack.palletOk("reimage", "--all", "--yes");
      assert.equal((await node()).provedImageName, "image");
    }),
  );
});
