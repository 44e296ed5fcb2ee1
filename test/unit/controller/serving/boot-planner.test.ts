import assert from "node:assert/strict";
import { beforeEach, describe, it } from "node:test";
import type { NewEvent } from "../../../../controller/events/event.ts";
import type { Image } from "../../../../controller/images/catalogue/image.ts";
import { createNodeRegistry, type NodeRegistry } from "../../../../controller/nodes/node-registry.ts";
import { type BootPlanner, createBootPlanner } from "../../../../controller/serving/boot-planner.ts";
import { openStore } from "../../../../controller/store/open-store.ts";
import type { NodeId } from "../../../../proto/names/node-id.ts";
import type { ImageDigest } from "../../../../proto/pack/digest.ts";
import { createManualClock } from "../../proto/time/manual-clock.ts";
import { image } from "../reimage/fakes/fake-rack.ts";

const mac = "b8:27:eb:00:00:01" as NodeId;

describe("boot planner", () => {
  let events: NewEvent[];
  let nodes: NodeRegistry;
  let images: Map<ImageDigest, Image>;
  let planner: BootPlanner;
  beforeEach(() => {
    events = [];
    images = new Map([[image.digest, image]]);
    const log = { append: (event: NewEvent) => void events.push(event) };
    nodes = createNodeRegistry({
      rows: openStore(":memory:").nodes,
      events: log,
      clock: createManualClock(),
      heartbeatIntervalMs: 1000,
      log: { error: () => assert.fail() },
    });
    planner = createBootPlanner({
      nodes,
      images: { getByDigest: async (digest) => images.get(digest) },
      events: log,
      profile: async () => ({ agent: { kernel: "agent/vmlinuz", append: ["quiet"] }, local: { append: [] } }),
      endpoints: Promise.resolve({ controller: "10.0.0.1:7700" }),
    });
  });

  it("discovers who asks, and boots it into the agent", async () => {
    const spec = await planner.bootSpecFor(mac, "10.0.0.7");
    assert.equal(spec.label, "agent");
    assert.deepEqual(spec.commandLine, ["quiet", "pallet.controller=10.0.0.1:7700", `pallet.node=${mac}`]);
    assert.equal(nodes.get(mac)?.address, "10.0.0.7");
    assert.equal(await planner.otherSpecFor(mac), undefined);
  });

  it("boots a board that is not recorded into the agent all the same: who asks by HTTP, or is one of too many", async () => {
    const expected = ["quiet", "pallet.controller=10.0.0.1:7700", `pallet.node=${mac}`];
    assert.deepEqual((await planner.bootSpecFor(mac, "10.0.0.7", "http")).commandLine, expected);
    await planner.noteBoot(mac, "10.0.0.7", await planner.specOf(mac), "http");
    assert.deepEqual([nodes.list(), events], [[], []]);
    for (let index = 0; index < 256; index += 1)
      nodes.discover(`02:00:00:00:00:${index.toString(16).padStart(2, "0")}` as NodeId, "10.0.0.7");
    assert.deepEqual((await planner.bootSpecFor(mac, "10.0.0.7")).commandLine, expected);
    assert.equal(nodes.get(mac), undefined);
  });

  it("says what a node would boot without noting that it asked", async () => {
    assert.equal((await planner.specOf(mac)).label, "agent");
    assert.deepEqual([nodes.list(), events], [[], []]);
    nodes.discover(mac, "10.0.0.7");
    nodes.setBootTarget(mac, { kind: "local", imageDigest: image.digest });
    const told = events.length;
    assert.equal((await planner.specOf(mac)).label, "local");
    images.clear();
    assert.equal((await planner.specOf(mac)).label, "agent");
    assert.equal(events.length, told);
  });

  it("boots a node locally with the kernel of its image, and knows that kernel when it is fetched", async () => {
    nodes.discover(mac, "10.0.0.7");
    nodes.setBootTarget(mac, { kind: "local", imageDigest: image.digest });
    const spec = await planner.bootSpecFor(mac, "10.0.0.7");
    assert.equal(spec.label, "local");
    nodes.recordFetch({ address: "10.0.0.7", path: spec.kernel, outcome: "served", bytes: 1 });
    assert.match(events.at(-1)?.message ?? "", /fetched its kernel "images\/.*\(local\)/);
    assert.equal((await planner.otherSpecFor(mac))?.label, "agent");
  });

  it("boots a node whose image is gone into the agent, and says so aloud", async () => {
    nodes.discover(mac, "10.0.0.7");
    nodes.setBootTarget(mac, { kind: "local", imageDigest: image.digest });
    images.clear();
    assert.equal((await planner.bootSpecFor(mac, "10.0.0.7")).label, "agent");
    assert.equal(events.at(-1)?.severity, "error");
    assert.match(events.at(-1)?.message ?? "", /cannot boot local: .*not in the catalogue.*agent instead/);
  });

  it("offers the system that a node proved to run", async () => {
    nodes.discover(mac, "10.0.0.7");
    nodes.setProved(mac, { imageName: image.name, imageDigest: image.digest, kind: "resident" });
    assert.equal((await planner.otherSpecFor(mac))?.label, "local");
    assert.equal(await planner.otherSpecFor("b8:27:eb:00:00:02" as NodeId), undefined);
  });
});
