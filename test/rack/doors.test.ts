// The doors of a rack as callers on its network find them: a stranger, another node, the management machine.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import path from "node:path";
import process from "node:process";
import { after, before, describe, it } from "node:test";
import { assertOpening, knockProgram, type openings } from "../contract/doors.ts";
import { requires } from "../requirements.ts";
import { makeTinyImage, type TinyImage } from "../tiny-image.ts";
import { startAgentIn } from "./agent-in.ts";
import { assertHoldsImage } from "./card-content.ts";
import type { Port } from "./network.ts";
import type { NetworkNamespace } from "./network-namespace.ts";
import { createRack, type Rack } from "./rack.ts";
import { tell } from "./story.ts";
import type { StrangersKnowledge } from "./stranger.ts";

const MiB = 1024 * 1024;
const strangerProgram = path.join(import.meta.dirname, "stranger.ts");

const nobody = "65534";

async function knock(
  from: NetworkNamespace,
  target: string,
  opening: keyof typeof openings,
  user = "0",
): Promise<void> {
  assertOpening(await from.run(process.execPath, [knockProgram, user, target]), opening);
}

describe("the doors of a rack", requires("root", "loop devices"), () => {
  let rack: Rack;
  let image: TinyImage;
  let port: Port;
  let stranger: NetworkNamespace;
  let controller: string;
  let agent: string;
  const onRack = (title: string, body: () => Promise<void>) => it(title, { timeout: 120_000 }, () => tell(rack, body));

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

  onRack("are enrolment alone to a stranger, at the controller", () => knock(stranger, controller, "enrolment alone"));
  onRack("are enrolment alone at the controller's TCP port on the management machine too", () =>
    knock(rack.network.namespace, controller, "enrolment alone"),
  );
  onRack("are shut to a stranger, at an agent", () => knock(stranger, agent, "nothing"));
  onRack("are open to the management machine, at an agent", () =>
    knock(rack.network.namespace, agent, "all of the agent"),
  );

  onRack("hold against whoever tries to list, wipe, write, reboot, upload, and nothing has changed", async () => {
    const { client } = rack;
    const board = rack.board(1);
    const [before] = await client.nodes();
    const events = await client.events();
    const images = await rack.palletOk("images", "--json");
    const knowledge: StrangersKnowledge = {
      controller,
      agent,
      node: board.mac,
      bootId: before?.facts?.bootId ?? "",
      device: board.card.device,
      image: "image",
    };
    const ends = JSON.parse(
      await stranger.run(process.execPath, [strangerProgram, JSON.stringify(knowledge)]),
    ) as Record<string, string>;
    const byAgent = ["list the disks", "wipe by the agent", "write by the agent", "reboot by the agent"];
    for (const [attempt, end] of Object.entries(ends))
      assert.equal(end, byAgent.includes(attempt) ? "UNAVAILABLE" : "PERMISSION_DENIED", attempt);
    assert.equal(Object.keys(ends).length, 13);

    await assertHoldsImage(board.card, image);
    const [now] = await client.nodes();
    assert.deepEqual(
      [now?.bootTarget, now?.accepted, now?.facts?.bootId],
      [before?.bootTarget, true, knowledge.bootId],
    );
    assert.deepEqual(await client.events(), events);
    assert.equal(await rack.palletOk("images", "--json"), images);
    assert.deepEqual(await client.rollouts(), []);
  });

  onRack("tell the operator who knocked at a node", async () => {
    const log = await rack.palletOk("node", "logs", rack.board(1).mac, "--level", "warn", "--limit", "0");
    assert.match(log, new RegExp(`refused a connection.*from=${port.address.replaceAll(".", "\\.")}`));
  });

  for (const listen of ["0.0.0.0", "::"]) {
    onRack(
      `are shut to the users of a node whose agent listens at ${listen}, at any of its addresses, but to root`,
      async () => {
        const own = rack.network.plug(98, "02:00:00:00:00:98");
        const node = await own.powerOn();
        const controllerHost = rack.network.address;
        const { stop } = await startAgentIn(node, "--controller", controllerHost, "--listen", listen);
        try {
          const addresses = [
            "127.0.0.1",
            own.address,
            ...(listen === "::" ? ["[::1]", `[::ffff:${own.address}]`] : []),
          ];
          for (const address of addresses) {
            await knock(node, `${address}:7710`, "nothing", nobody);
            await knock(node, `${address}:7710`, "all of the agent");
          }
          await knock(stranger, `${own.address}:7710`, "nothing");
          await knock(rack.network.namespace, `${own.address}:7710`, "all of the agent");
        } finally {
          await stop();
          await own.powerOff();
        }
      },
    );
  }

  onRack("open to the controller's own commands: it wipes the card", async () => {
    const board = rack.board(1);
    await rack.palletOk("wipe", board.mac, board.card.device, "--yes");
    assert.equal(await board.card.hasPartitionTable(), false);
  });
});

describe("the doors of a rack whose controller", requires("root", "loop devices"), () => {
  it("has another address than nodes are told, on the same interface, let it in", { timeout: 120_000 }, async () => {
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

  it("is set to insecureTcp are open to a stranger, and everybody is told", { timeout: 120_000 }, async () => {
    await using rack = await createRack({ nodes: 0, settings: { insecureTcp: true } });
    const port = rack.network.plug(99, "02:00:00:00:00:99");
    try {
      await knock(await port.powerOn(), `${rack.network.address}:7700`, "all of the controller");
      assert.match(await rack.palletOk("status"), /INSECURE: TCP 10\.77\.0\.1:7700 accepts every call/);
      assert.match(await rack.palletOk("events"), /INSECURE/);
      assert.match(rack.controller.log.text(), /INSECURE/);
    } finally {
      await port.powerOff();
    }
  });
});
