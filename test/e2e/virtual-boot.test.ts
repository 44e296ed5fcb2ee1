// The real boot chain from power-on to the agent, on virtual Pis. Reimages on them: virtual/reimage.test.ts.
import assert from "node:assert/strict";
import path from "node:path";
import { after, before, describe, it } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { checkout } from "../rack/checkout.ts";
import { tell } from "../rack/story.ts";
import type { VirtualBoard } from "../rack/virtual/virtual-board.ts";
import type { VirtualRack } from "../rack/virtual/virtual-rack.ts";
import { requires } from "../requirements.ts";
import { assertComeUp, createRackOfTwo } from "./virtual/two-virtual-pis.ts";

describe("two virtual Pis", requires("root", "qemu"), () => {
  let rack: VirtualRack;
  let first: VirtualBoard;
  let second: VirtualBoard;
  const onRack = (title: string, body: () => Promise<void>) => it(title, { timeout: 600_000 }, () => tell(rack, body));

  before(async () => {
    ({ rack, first, second } = await createRackOfTwo());
  });
  after(() => rack?.close());

  onRack("come from power-on to the registered agent on a root that they share, their cards untouched", () =>
    assertComeUp(rack),
  );

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
