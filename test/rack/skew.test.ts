// Agents and controllers from before TLS, beside today's: each is told, or says, what to do.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { requires } from "../requirements.ts";
import { earlierCommit, nodeModules, unpackEarlier } from "./earlier-checkout.ts";
import { createRack } from "./rack.ts";
import { createScratchFolder, type ScratchFolder } from "./scratch-folder.ts";
import { tell } from "./story.ts";

describe("an agent or a controller from before TLS", requires("root", "loop devices"), () => {
  let scratch: ScratchFolder;
  before(async () => {
    scratch = await createScratchFolder("pallet-skew-");
  });
  after(() => scratch.remove());

  it(`is refused, as an agent of ${earlierCommit}, and told the way in, as the operator is`, {
    timeout: 480_000,
  }, async () => {
    const agents = { checkout: await unpackEarlier(scratch.path, "mountpoint"), nodeModules };
    await using rack = await createRack({ nodes: 1, agents });
    await tell(rack, async () => {
      const board = rack.board(1);
      await board.powerOn();
      const { message, nodeId } = await rack.client.event(({ type }) => type === "registration-refused", {
        timeoutMs: 120_000,
      });
      assert.equal(nodeId, board.mac);
      assert.match(
        message,
        /this controller speaks TLS only, and this agent is older than that: .*"controller rootfs build"/,
      );
      assert.match(message, /"controller boot NODE agent", power-cycle the node, and reimage it/);
      await board.console.waitFor(/this controller speaks TLS only/);
      const [node] = await rack.client.nodes();
      assert.equal(node?.agent, undefined);
      assert.match(await rack.palletOk("nodes"), /registration refused/);
    });
  });

  it(`is not registered with, as a controller of ${earlierCommit}: the agent says what it lacks`, {
    timeout: 480_000,
  }, async () => {
    await using rack = await createRack({ nodes: 1, controllerCheckout: await unpackEarlier(scratch.path, "link") });
    await tell(rack, async () => {
      await rack.board(1).powerOn();
      await rack.board(1).console.waitFor(/pallet\.ca/);
      const [node] = await rack.client.nodes();
      assert.equal(node?.agent, undefined);
    });
  });
});
