// The doors of a rack as callers on its network find them: a stranger, another node, the management machine.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import path from "node:path";
import process from "node:process";
import { after, before, describe, it } from "node:test";
import { assertOpening, knockProgram, type openings } from "../contract/doors.ts";
import { checkout } from "../programs/checkout.ts";
import { requires } from "../requirements.ts";
import { makeTinyImage, type TinyImage } from "../tiny-image.ts";
import { startAgentIn } from "./agent-in.ts";
import { assertHoldsImage } from "./card-content.ts";
import type { Port } from "./network.ts";
import type { NetworkNamespace } from "./network-namespace.ts";
import { createRack, type Rack } from "./rack.ts";
import { tell } from "./story.ts";
import { assertWithstandsStranger } from "./withstand-stranger.ts";

const MiB = 1024 * 1024;

const nobody = "65534";

async function knock(from: NetworkNamespace, target: string, opening: keyof typeof openings): Promise<void> {
  assertOpening(await from.run(process.execPath, [knockProgram, "0", target]), opening);
}

describe("the doors of a rack", requires("root", "loop devices"), () => {
  let rack: Rack;
  let image: TinyImage;
  let port: Port;
  let stranger: NetworkNamespace;
  let controller: string;
  let agent: string;
  const onRack = (title: string, body: () => Promise<void>) => it(title, { timeout: 360_000 }, () => tell(rack, body));

  before(async () => {
    rack = await createRack({ nodes: 1 });
    image = await makeTinyImage({ folder: rack.folder, name: "image", bulkBytes: 2 * MiB });
    await rack.palletOk("images", "add", image.path, "--name", "image");
    await rack.board(1).card.write(0, await readFile(image.path));
    await rack.powerOnAll();
    port = rack.network.plug(99, "02:00:00:00:00:99");
    stranger = await port.powerOn();
    controller = `${rack.network.address}:7700`;
    agent = `${rack.board(1).address}:7710`;
  });
  after(async () => {
    await port?.powerOff();
    await rack?.close();
  });

  onRack("have a word about TLS for a stranger who speaks none, at the controller", () =>
    knock(stranger, controller, "a word about TLS"),
  );
  onRack("have no more for the management machine, which has the unix socket", () =>
    knock(rack.network.namespace, controller, "a word about TLS"),
  );
  onRack("are shut to a stranger, at an agent", () => knock(stranger, agent, "nothing"));
  onRack("are shut to whoever has the controller's address and no certificate, at an agent", () =>
    knock(rack.network.namespace, agent, "nothing"),
  );
  onRack("are open to root on the node, at its agent's unix socket, and to none of its users", async () => {
    const board = rack.board(1);
    const findNode =
      "for each in /proc/[0-9]*; do grep -q pallet-checkout/.*/agent.cjs $each/cmdline && readlink $each/exe && break; done";
    const node = (await board.run("sh", ["-c", findNode])).trim();
    const program = path.join("/run/pallet-checkout", path.relative(checkout, knockProgram));
    for (const [user, opening] of [
      ["0", "all of the agent"],
      [nobody, "nothing"],
    ] as const)
      assertOpening(await board.run(node, [program, user, "unix:/run/pallet/agent.sock"]), opening);
  });

  onRack("hold against whoever tries to list, wipe, write, reboot, upload, and nothing has changed", async () => {
    const board = rack.board(1);
    await assertWithstandsStranger(rack, board, { port, stranger, device: board.card.device, image: "image" });
    await assertHoldsImage(board.card, image);
  });

  onRack("tell the operator who knocked at a node", async () => {
    const log = await rack.palletOk("node", "logs", rack.board(1).mac, "--level", "warn", "--limit", "0");
    assert.match(log, new RegExp(`refused a connection.*from=${port.address.replaceAll(".", "\\.")}`));
  });

  onRack("are shut to everybody at every address of an agent that nobody told whom to believe", async () => {
    const own = rack.network.plug(98, "02:00:00:00:00:98");
    const node = await own.powerOn();
    const doors = ["--listen", "::", "--socket", path.join(rack.folder, "agent-98.sock")];
    const { stop } = await startAgentIn(node, "--controller", rack.network.address, ...doors);
    try {
      for (const address of ["127.0.0.1", own.address, "[::1]", `[::ffff:${own.address}]`])
        await knock(node, `${address}:7710`, "nothing");
      await knock(stranger, `${own.address}:7710`, "nothing");
      await knock(rack.network.namespace, `${own.address}:7710`, "nothing");
    } finally {
      await stop();
      await own.powerOff();
    }
  });

  onRack("open to the controller's own commands: it wipes the card", async () => {
    const board = rack.board(1);
    await rack.palletOk("wipe", board.mac, board.card.device, "--yes");
    assert.equal(await board.card.hasPartitionTable(), false);
  });
});

describe("the doors of a rack whose controller", requires("root", "loop devices"), () => {
  it("has another address than nodes are told, on the same interface, let it in", { timeout: 360_000 }, async () => {
    const advertise = "10.77.0.3";
    await using rack = await createRack({
      nodes: 1,
      settings: { listen: "0.0.0.0", advertise },
      async prepareNetwork({ namespace, interface: name }) {
        await namespace.run("ip", ["addr", "add", `${advertise}/24`, "dev", name]);
        return async () => {};
      },
    });
    await tell(rack, async () => {
      await rack.powerOnAll();
      assert.match(rack.board(1).console.text(), /pallet\.controller=10\.77\.0\.3:7700/);
      await rack.palletOk("disks", rack.board(1).mac);
    });
  });

  it("is set to insecure are open to a stranger, and everybody is told", { timeout: 360_000 }, async () => {
    await using rack = await createRack({ nodes: 0, settings: { insecure: true } });
    const port = rack.network.plug(99, "02:00:00:00:00:99");
    try {
      await knock(await port.powerOn(), `${rack.network.address}:7700`, "all of the controller");
      assert.match(await rack.palletOk("status"), /INSECURE: there is no TLS.*TCP 10\.77\.0\.1:7700/);
      assert.match(await rack.palletOk("events"), /INSECURE/);
      assert.match(rack.controller.log.text(), /INSECURE/);
    } finally {
      await port.powerOff();
    }
  });
});
