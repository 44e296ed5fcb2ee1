// Nodes that are not heard: what the operator is shown of them, and that it ends.
import assert from "node:assert/strict";
import path from "node:path";
import process from "node:process";
import { after, before, describe, it } from "node:test";
import { BootTarget, NodeTroubleKind } from "../../proto/gen/pallet/v1/controller.ts";
import { execa } from "../../proto/linux/leashed-execa.ts";
import { requires } from "../requirements.ts";
import { makeTinyImage, type TinyImage } from "../tiny-image.ts";
import type { Board } from "./board.ts";
import { createRack, type Rack } from "./rack.ts";
import { tell } from "./story.ts";

const bridgeMac = "02:00:5e:00:00:01";

describe("a node that is not heard", requires("root", "loop devices"), () => {
  let rack: Rack;
  let image: TinyImage;
  before(async () => {
    rack = await createRack({ nodes: 2, settings: { heartbeatIntervalMs: 1000 } });
    image = await makeTinyImage({ folder: rack.folder, name: "image" });
    await rack.palletOk("images", "add", image.path, "--name", "image");
    await rack.powerOnAll();
  });
  after(() => rack.close());

  const nodeOf = async (board: Board) =>
    (await rack.client.nodes()).find(({ nodeId }) => nodeId === board.mac) ?? assert.fail(`no node ${board.mac}`);
  const events = (board: Board, type: string) =>
    rack.client.events().then((all) => all.filter((event) => event.nodeId === board.mac && event.type === type));
  const restartAgent = async (board: Board): Promise<number> => {
    const mark = board.console.mark();
    await board.killAgent();
    return mark;
  };

  it(
    "because its system panics is in a boot loop, is looked at, and then stays in the agent",
    { timeout: 400_000 },
    () =>
      tell(rack, async () => {
        const board = rack.board(1);
        await rack.palletOk("reimage", board.mac, "--yes");
        await board.powerOff();
        await board.card.write(image.root.offsetBytes, Buffer.alloc(64 * 1024));
        await board.powerOn();

        const isOf = (wanted: string) => (event: { readonly type: string; readonly nodeId: string }) =>
          event.type === wanted && event.nodeId === board.mac;
        const began = await rack.client.event(isOf("boot-trouble-began"), { timeoutMs: 200_000 });
        assert.match(began.message, /boot loop: 4 boots in \d+ s, last got to its kernel; look at its console/);
        const listed = JSON.parse(await rack.palletOk("nodes", "--json")) as readonly {
          nodeId: string;
          troubles: object[];
        }[];
        const [trouble] = listed.find(({ nodeId }) => nodeId === board.mac)?.troubles ?? [];
        assert.partialDeepStrictEqual(trouble, { kind: "boot-loop" });

        const kept = await rack.client.event(isOf("node-kept-in-agent"), { timeoutMs: 200_000 });
        assert.match(kept.message, /stays in the agent.*controller reimage/);
        await rack.client.event(isOf("boot-trouble-ended"));
        const node = await nodeOf(board);
        assert.equal(node.bootTarget, BootTarget.BOOT_TARGET_AGENT);
        assert.deepEqual(node.troubles, []);
        assert.equal((await events(board, "boot-trouble-began")).length, 1);
        assert.equal((await events(board, "boot-trouble-ended")).length, 1);

        await rack.palletOk("reimage", board.mac, "--yes");
        assert.equal((await nodeOf(board)).bootTarget, BootTarget.BOOT_TARGET_LOCAL);
      }),
  );

  it("by the MAC address of its bridge is known by that of the bridge's port", { timeout: 360_000 }, () =>
    tell(rack, async () => {
      const board = rack.board(2);
      const ip = (...args: readonly string[]) => board.run("ip", args);
      await ip("link", "add", "br0", "address", bridgeMac, "type", "bridge", "forward_delay", "0");
      await ip("address", "flush", "dev", "eth0");
      await ip("link", "set", "eth0", "master", "br0");
      await ip("address", "add", `${board.address}/24`, "dev", "br0");
      await ip("link", "set", "br0", "up");
      const mark = await restartAgent(board);
      await board.console.waitFor(/"msg":"registered"/, { from: mark });
      const node = await nodeOf(board);
      assert.deepEqual(node.troubles, []);
      assert.deepEqual(
        node.facts?.interfaces.map(({ name, mac }) => [name, mac]),
        [
          // The one that the board boots from comes first.
          ["eth0", board.mac],
          ["br0", bridgeMac],
        ],
      );
    }),
  );

  it("because none of its MAC addresses is its own is shown as refused, until it registers", { timeout: 360_000 }, () =>
    tell(rack, async () => {
      const board = rack.board(2);
      const setMac = (mac: string) => board.run("ip", ["link", "set", "eth0", "address", mac]);
      await setMac("02:00:5e:00:00:02");
      const mark = await restartAgent(board);
      const refused = await rack.client.event(
        ({ type, nodeId }) => type === "registration-refused" && nodeId === board.mac,
      );
      assert.match(
        refused.message,
        new RegExp(`registration from ${board.address} refused: ${board.mac} cannot register`),
      );
      const [trouble] = (await nodeOf(board)).troubles;
      assert.equal(trouble?.kind, NodeTroubleKind.NODE_TROUBLE_KIND_REGISTRATION_REFUSED);
      assert.match(await rack.palletOk("node", "show", board.mac), /trouble +registration from .* refused/);
      await setMac(board.mac);
      await board.console.waitFor(/"msg":"registered"/, { from: mark });
      assert.deepEqual((await nodeOf(board)).troubles, []);
    }),
  );

  it("because transfers of its kernel end midway is shown so, until it is up", { timeout: 600_000 }, () =>
    tell(rack, async () => {
      const board = rack.board(2);
      await board.powerOff();
      const fetches = {
        server: rack.network.address,
        config: `pxelinux.cfg/01-${board.mac.replaceAll(":", "-")}`,
        kernel: `${board.serial}/agent/vmlinuz`,
        times: 3,
      };
      const program = [path.join(import.meta.dirname, "abandon-transfers.ts"), JSON.stringify(fetches)];
      await execa("nsenter", [`--net=${rack.network.namespace.path}`, "--", process.execPath, ...program]);
      const began = await rack.client.event(
        ({ type, nodeId }) => type === "boot-trouble-began" && nodeId === board.mac,
        { timeoutMs: 150_000 },
      );
      assert.match(began.message, /transfers die: 3 broke off in .*, last got to its boot config; look at its cable/);
      const [trouble] = (await nodeOf(board)).troubles;
      assert.equal(trouble?.kind, NodeTroubleKind.NODE_TROUBLE_KIND_TRANSFERS_DIE);
      await board.powerOn();
      await rack.client.event(({ type, nodeId }) => type === "boot-trouble-ended" && nodeId === board.mac);
      assert.deepEqual((await nodeOf(board)).troubles, []);
    }),
  );
});
