// Whoever else answers, registers or asks for boot files in a node's place: its write goes on, and it stays where it is.
import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import path from "node:path";
import { after, before, describe, it } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import type { Node } from "../../proto/gen/pallet/v1/controller.ts";
import { ReimagePhase, type Rollout, RolloutState } from "../../proto/gen/pallet/v1/rollout.ts";
import { requires } from "../requirements.ts";
import { makeTinyImage, type TinyImage } from "../tiny-image.ts";
import { startAgentIn, startAgentInBoot } from "./agent-in.ts";
import type { Board } from "./board.ts";
import { assertHoldsImage } from "./card-content.ts";
import type { Port } from "./network.ts";
import type { NetworkNamespace } from "./network-namespace.ts";
import { createRack, type Rack } from "./rack.ts";
import { end, isWriting, reimageOf, startReimage, tell } from "./story.ts";

const MiB = 1024 * 1024;
const strangersMac = "02:00:00:00:00:99";

describe("a write goes on", requires("root", "loop devices"), () => {
  let rack: Rack;
  let board: Board;
  let image: TinyImage;
  let port: Port;
  let stranger: NetworkNamespace;
  let controller: string;
  const onRack = (title: string, body: () => Promise<void>) => it(title, { timeout: 480_000 }, () => tell(rack, body));

  before(async () => {
    // With TLS they would not get as far: no certificate of theirs names the node.
    rack = await createRack({ nodes: 1, settings: { insecure: true } });
    board = rack.board(1);
    controller = `${rack.network.address}:7700`;
    image = await makeTinyImage({ folder: rack.folder, name: "bulky", bulkBytes: 12 * MiB });
    await rack.palletOk("images", "add", image.path, "--name", "bulky");
    await rack.powerOnAll();
    port = rack.network.plug(99, strangersMac);
    stranger = await port.powerOn();
    await stranger.run("ip", ["link", "add", "twin", "address", board.mac, "type", "veth", "peer", "name", "itself"]);
  });
  after(async () => {
    await port?.powerOff();
    await rack?.close();
  });

  /** Starts a reimage on a slow network and resolves in the middle of the write. */
  async function startSlowly(): Promise<string> {
    await board.limitNetwork(2 * MiB);
    const id = await startReimage(rack, board.mac, "--image", "bulky", "--full");
    await rack.client.rollout(id, isWriting(board, 2 * MiB));
    await board.limitNetwork(MiB / 8);
    return id;
  }
  const ownNode = async (): Promise<Node> => {
    const found = (await rack.client.nodes()).find(({ nodeId }) => nodeId === board.mac);
    return found ?? assert.fail("the node is gone");
  };
  async function assertProvedByOneWrite(rollout: Rollout, writesBefore: number): Promise<void> {
    assert.equal(rollout.state, RolloutState.ROLLOUT_STATE_SUCCEEDED, reimageOf(rollout, board).failure?.message);
    await assertHoldsImage(board.card, image);
    assert.equal(writesSoFar(), writesBefore + 1);
  }
  const writesSoFar = (): number =>
    board.console.text().match(/"kind":"write-image".*"msg":"operation started"/g)?.length ?? 0;

  onRack("while a second board claims the node's MAC address, and boot files are asked for in its name", async () => {
    const writes = writesSoFar();
    const id = await startSlowly();
    const before = await ownNode();
    const claimant = await startAgentIn(
      stranger,
      "--insecure",
      "--controller",
      controller,
      "--node",
      board.mac,
      "--listen",
      "0.0.0.0",
    );
    try {
      const { message } = await rack.client.event(({ type }) => type === "mac-claimed-twice");
      assert.match(message, new RegExp(`a second board at ${port.address} claims the MAC address of ${before.name}`));
      const config = `http://${rack.network.address}:7701/boot/pxelinux.cfg/01-${board.mac.replaceAll(":", "-")}`;
      for (let times = 0; times < 3; times += 1) {
        await stranger.run("curl", ["--silent", "--show-error", "--fail", config]);
        const { address, online, agent } = await ownNode();
        assert.deepEqual([address, online], [board.address, true]);
        assert.equal(agent?.instanceId, before.agent?.instanceId);
      }
      // It tries again, every five seconds at most.
      await delay(12_000);
      const { phase, attempts } = reimageOf(await rack.client.rollout(id, () => true), board);
      assert.deepEqual([phase, attempts], [ReimagePhase.REIMAGE_PHASE_WRITING, 1]);
      await board.limitNetwork(undefined);
      await assertProvedByOneWrite(await end(rack, id), writes);
      const claims = (await rack.client.events()).filter(({ type }) => type === "mac-claimed-twice");
      assert.equal(claims.length, 1);
    } finally {
      await claimant.stop();
    }
  });

  for (const [whose, sameBoot] of [
    ["another machine's agent", false],
    ["another agent that claims the same boot", true],
  ] as const)
    onRack(`while ${whose} has the node's old address, and knows nothing of it`, async () => {
      const writes = writesSoFar();
      const id = await startSlowly();
      const bootIdFile = path.join(rack.folder, "boot-id");
      await writeFile(bootIdFile, `${(await ownNode()).facts?.bootId}\n`);
      const own = [`${board.address}/24`, "dev", "eth0"];
      await board.cutNetwork();
      await stranger.run("ip", ["address", "add", ...own]);
      const args = ["--insecure", "--controller", controller, "--node", strangersMac, "--listen", "0.0.0.0"];
      const squatter = await (sameBoot
        ? startAgentInBoot(stranger, bootIdFile, ...args)
        : startAgentIn(stranger, ...args));
      try {
        await rack.network.namespace.run("ip", ["neighbour", "flush", "all"]);
        // Keepalive gives up on the node after 10 s; then whoever has the address is asked again and again.
        await delay(20_000);
        const { phase, attempts, failure } = reimageOf(await rack.client.rollout(id, () => true), board);
        assert.deepEqual([phase, attempts], [ReimagePhase.REIMAGE_PHASE_WRITING, 1], failure?.message);
      } finally {
        await squatter.stop();
        await stranger.run("ip", ["address", "del", ...own]);
      }
      await board.restoreNetwork();
      await rack.network.namespace.run("ip", ["neighbour", "flush", "all"]);
      await board.limitNetwork(undefined);
      await assertProvedByOneWrite(await end(rack, id, 120_000), writes);
    });
});
