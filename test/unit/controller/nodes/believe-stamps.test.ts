import assert from "node:assert/strict";
import { beforeEach, describe, it } from "node:test";
import { setImmediate } from "node:timers/promises";
import type { NewEvent } from "../../../../controller/events/event.ts";
import type { Image, ImageName } from "../../../../controller/images/catalogue/image.ts";
import { believeStamps } from "../../../../controller/nodes/believe-stamps.ts";
import { createNodeRegistry, type NodeRegistry } from "../../../../controller/nodes/node-registry.ts";
import { openStore, type Store } from "../../../../controller/store/open-store.ts";
import type { AgentInfo } from "../../../../proto/node/agent-info.ts";
import type { NodeFacts } from "../../../../proto/node/node-facts.ts";
import type { ImageDigest } from "../../../../proto/pack/digest.ts";
import { createManualClock } from "../../proto/time/manual-clock.ts";
import { anImage, digest, mac } from "../boot/a-node.ts";

const ids = { partitionUuid: "deadbeef-02", filesystemUuid: "" };
const facts = {
  bootId: "boot-1",
  serial: "",
  interfaces: [{ name: "eth0", mac, addresses: [] }],
  root: { source: "/dev/mmcblk0p2", filesystemType: "ext4", disk: "/dev/mmcblk0", ids },
} as unknown as NodeFacts;
const installed = {
  imageName: "debian-12",
  imageDigest: digest,
  reimageId: "r-1",
  installedAt: "2026-01-01T00:00:00Z",
};
const resident: AgentInfo = { version: "1", role: "resident", instanceId: "i", port: 7710, installed };
const other = "cd".repeat(32) as ImageDigest;

describe("a node of which only its own system knows anything", () => {
  let store: Store;
  let nodes: NodeRegistry;
  let events: NewEvent[];
  let images: Image[];
  let rollout: string | undefined;

  beforeEach(() => {
    store = openStore(":memory:");
    events = [];
    images = [anImage()];
    rollout = undefined;
    nodes = createNodeRegistry({
      rows: store.nodes,
      events: { append: (event) => events.push(event) },
      clock: createManualClock(),
      heartbeatIntervalMs: 10_000,
      log: { error: (details) => assert.fail(String(details)) },
    });
    believeStamps({
      nodes,
      images: {
        get: async (name) => images.find((image) => image.name === name),
        getByDigest: async (wanted) => images.find((image) => image.digest === wanted),
      },
      events: { append: (event) => events.push(event) },
      activeRolloutOf: () => rollout,
      log: { warn: (details) => assert.fail(JSON.stringify(details)) },
    });
  });

  async function hear(agent: AgentInfo = resident, of: NodeFacts = facts) {
    nodes.register({ id: mac, facts: of, agent });
    await setImmediate();
    return nodes.get(mac) ?? assert.fail("no node");
  }
  const told = (type: NewEvent["type"]) => events.filter((event) => event.type === type).map(({ message }) => message);

  it("counts more than a backup of before it: with its image it is proved, without it the next boot goes to the agent", async () => {
    const before = { imageName: "older", imageDigest: other, kind: "resident" } as const;
    const known = { imageDigest: other, reimageId: "r-0", resident: true } as const;
    const shared = { events: { append: (event: NewEvent) => void events.push(event) } };
    store.nodes.save({
      ...{ id: mac, name: "pi-1", accepted: true, lastSeenAt: 0, discoveredAt: 0 },
      ...{ bootTarget: { kind: "local", imageDigest: other }, proved: before, installation: known },
    });
    nodes = createNodeRegistry({
      rows: store.nodes,
      events: shared.events,
      clock: createManualClock(),
      heartbeatIntervalMs: 10_000,
      log: { error: (details) => assert.fail(String(details)) },
    });
    const image = images.splice(0);
    believeStamps({
      ...{ ...shared, nodes },
      supersedes: (_, { reimageId }) => reimageId === "r-1",
      images: { get: async () => images[0], getByDigest: async () => images[0] },
      activeRolloutOf: () => rollout,
      log: { warn: (details) => assert.fail(JSON.stringify(details)) },
    });
    nodes.register({ id: mac, facts, agent: resident });
    await setImmediate();
    assert.deepEqual(nodes.get(mac)?.bootTarget, { kind: "agent" });
    images.push(...image);
    nodes.heartbeat({ id: mac, instanceId: "i" });
    await setImmediate();
    const now = nodes.get(mac);
    assert.deepEqual(now?.bootTarget, { kind: "local", imageDigest: digest });
    assert.deepEqual([now?.proved?.imageDigest, now?.installation?.reimageId], [digest, "r-1"]);
  });

  it("is believed: proved, its root known, and its next boot goes to its own card", async () => {
    const node = await hear();
    assert.deepEqual(node.bootTarget, { kind: "local", imageDigest: digest });
    assert.deepEqual(node.proved, { imageName: "debian-12", imageDigest: digest, kind: "resident" });
    assert.deepEqual(node.installation, { imageDigest: digest, reimageId: "r-1", resident: true, root: ids });
    assert.deepEqual(node.accepted, false);
    assert.match(told("node-restored").join(), /restored from its stamp.*debian-12 on \/dev\/mmcblk0/);
  });

  it("is believed again after it was forgotten while it ran", async () => {
    await hear();
    nodes.forget(mac);
    assert.equal(nodes.get(mac), undefined);
    assert.deepEqual((await hear()).bootTarget, { kind: "local", imageDigest: digest });
  });

  it("gets the name of the image that its stamp names, where several have that content", async () => {
    images = [anImage({ name: "aaa" as ImageName }), anImage()];
    assert.equal((await hear()).proved?.imageName, "debian-12");
    images = [anImage({ name: "renamed" as ImageName })];
    nodes.forget(mac);
    assert.equal((await hear()).proved?.imageName, "renamed");
  });

  it("waits for an image that is missing, says so once, and is believed at the next heartbeat after it came", async () => {
    images = [];
    await hear();
    nodes.heartbeat({ id: mac, instanceId: "i" });
    const node = await hear();
    assert.deepEqual(node.bootTarget, { kind: "agent" });
    assert.equal(told("stamp-unknown").length, 1);
    assert.match(told("stamp-unknown").join(), /not in the catalogue.*images add FILE --name debian-12/);
    images = [anImage()];
    nodes.heartbeat({ id: mac, instanceId: "i" });
    await setImmediate();
    assert.equal(nodes.get(mac)?.bootTarget.kind, "local");
  });

  const doubts: Record<string, () => Promise<unknown>> = {
    "its agent is netbooted": () => hear({ ...resident, role: "netboot" }),
    "its system bears no stamp": () => hear({ version: "1", role: "resident", instanceId: "i", port: 7710 }),
    "its root is on no disk": () => hear(resident, { ...facts, root: { ...facts.root, disk: "" } }),
    "a rollout is at work on it": () => {
      rollout = "rollout-1";
      return hear();
    },
    "a reimage of ours is known, whose end says what holds": async () => {
      nodes.discover(mac, "10.0.0.1");
      nodes.voidProof(mac, { imageDigest: digest, reimageId: "r-1", resident: true });
      await hear();
    },
    "another system was chosen for it": async () => {
      nodes.discover(mac, "10.0.0.1");
      nodes.setBootTarget(mac, { kind: "local", imageDigest: other });
      await hear();
    },
  };
  for (const [why, happens] of Object.entries(doubts)) {
    it(`is not believed when ${why}`, async () => {
      await happens();
      assert.equal(nodes.get(mac)?.proved, undefined);
      assert.notDeepEqual(nodes.get(mac)?.bootTarget, { kind: "local", imageDigest: digest });
      assert.deepEqual(told("node-restored"), []);
    });
  }

  it("stays where an operator sends it once it was believed", async () => {
    await hear();
    nodes.setBootTarget(mac, { kind: "agent" });
    assert.deepEqual((await hear()).bootTarget, { kind: "agent" });
  });
});
