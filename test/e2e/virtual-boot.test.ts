// The real boot chain from power-on to the agent, on virtual Pis. Reimages on them: virtual/reimage.test.ts.
import assert from "node:assert/strict";
import path from "node:path";
import { after, before, describe, it } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { checkout } from "../rack/checkout.ts";
import { tell } from "../rack/story.ts";
import { provideVirtualArtefacts } from "../rack/virtual/artefacts.ts";
import type { VirtualBoard } from "../rack/virtual/virtual-board.ts";
import { createVirtualRack, type VirtualRack } from "../rack/virtual/virtual-rack.ts";
import { requires } from "../requirements.ts";

/** Emulated, and two at once on two cores that do other things as well. */
const patience = { timeoutMs: 240_000 };

describe("two virtual Pis", requires("root", "qemu"), () => {
  let rack: VirtualRack;
  let first: VirtualBoard;
  let second: VirtualBoard;
  const onRack = (title: string, body: () => Promise<void>) => it(title, { timeout: 600_000 }, () => tell(rack, body));

  before(async () => {
    const artefacts = await provideVirtualArtefacts({ withShell: true });
    rack = await createVirtualRack({
      nodes: 2,
      artefacts,
      settings: { reimage: { bootTimeoutMs: 240_000, proveTimeoutMs: 240_000 } },
    });
    const [one, two] = rack.virtualBoards;
    assert.ok(one !== undefined && two !== undefined);
    [first, second] = [one, two];
  });
  after(() => rack?.close());

  onRack("come from power-on to the registered agent on a root that they share, their cards untouched", async () => {
    await Promise.all(
      rack.virtualBoards.map(async (board) => {
        await board.powerOn();
        await rack.client.event(({ type, nodeId }) => type === "node-registered" && nodeId === board.mac, patience);
        assert.equal(await board.card.hasPartitionTable(), false);
        assert.match(await board.run("cat", ["/proc/mounts"]), /^overlay \/ overlay /m);
        await board.run("sh", ["-c", `echo ${board.mac} >/etc/of-this-node`]);
      }),
    );
    for (const board of rack.virtualBoards) {
      assert.equal((await board.run("cat", ["/etc/of-this-node"])).trim(), board.mac);
    }
    const machineIds = await Promise.all(rack.virtualBoards.map((board) => board.run("cat", ["/etc/machine-id"])));
    assert.notEqual(machineIds[0], machineIds[1]);
  });

  onRack("answer buf curl, which knows the agent by its reflection only", async () => {
    const buf = path.join(checkout, "node_modules/@bufbuild/buf/bin/buf");
    const address = `http://${first.address}:7710`;
    const curl = (...args: string[]) =>
      rack.network.namespace.run(process.execPath, [
        buf,
        "curl",
        "--protocol",
        "grpc",
        "--http2-prior-knowledge",
        ...args,
      ]);
    const services = (await curl("--list-services", address)).split("\n");
    assert.ok(services.includes("pallet.v1.AgentService"), services.join());
    assert.ok(services.includes("grpc.health.v1.Health"), services.join());
    const devices = JSON.parse(await curl(`${address}/pallet.v1.AgentService/ListBlockDevices`)) as {
      devices?: readonly { path: string }[];
      blockDevices?: readonly { path: string }[];
    };
    assert.match(JSON.stringify(devices), /"\/dev\/mmcblk0"/);
    assert.match(await curl(`${address}/grpc.health.v1.Health/Check`), /SERVING/);
  });

  onRack("have an agent that is started again within 5 s when it is killed", async () => {
    const processId = async () => (await second.run("busybox", ["pidof", "pallet-agent"]).catch(() => "")).trim();
    const before = await processId();
    assert.match(before, /^\d+/);
    const mark = second.console.mark();
    await second.killAgent();
    const deadline = performance.now() + 5000;
    let now = before;
    while (now === before || now === "") {
      assert.ok(performance.now() < deadline, `no new agent 5 s after process ${before} was killed`);
      await delay(100);
      now = await processId();
    }
    await second.console.waitFor(/"msg":"registered"/, { from: mark });
  });
});
