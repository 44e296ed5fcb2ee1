import assert from "node:assert/strict";
import { beforeEach, describe, it } from "node:test";
import { setImmediate } from "node:timers/promises";
import type { AgentPort } from "../../../../controller/agents/agent-port.ts";
import { sendHome } from "../../../../controller/agents/send-home.ts";
import type { NewEvent } from "../../../../controller/events/event.ts";
import type { Image } from "../../../../controller/images/catalogue/image.ts";
import { createNodeRegistry, type NodeRegistry } from "../../../../controller/nodes/node-registry.ts";
import { openStore } from "../../../../controller/store/open-store.ts";
import type { BlockDevice } from "../../../../proto/disk/block-device.ts";
import type { AgentInfo } from "../../../../proto/node/agent-info.ts";
import type { NodeFacts } from "../../../../proto/node/node-facts.ts";
import { createManualClock } from "../../proto/time/manual-clock.ts";
import { anImage, digest, mac } from "../boot/a-node.ts";

const address = "10.0.0.7";
const facts = {
  bootId: "boot-9",
  serial: "",
  interfaces: [{ name: "eth0", mac, addresses: [address] }],
  root: { source: "overlay", filesystemType: "overlay", disk: "" },
} as unknown as NodeFacts;
const installed = {
  imageName: "debian-12",
  imageDigest: digest,
  reimageId: "r-1",
  installedAt: "2026-01-01T00:00:00Z",
};
const found = { disk: "/dev/mmcblk0", device: "/dev/mmcblk0p2", installed };
const netbooted: AgentInfo = { version: "1", role: "netboot", instanceId: "i", port: 7710, found: [found] };
const root = { partitionUuid: "0badcafe-02", filesystemUuid: "" };
const disk = {
  path: "/dev/mmcblk0",
  partitionUuid: "",
  uuid: "",
  children: [
    {
      path: found.device,
      partitionNumber: 2,
      startBytes: 2 ** 29,
      uuid: "",
      partitionUuid: root.partitionUuid,
      children: [],
    },
  ],
} as unknown as BlockDevice;

describe("a node in the agent of which nothing is known", () => {
  let nodes: NodeRegistry;
  let events: NewEvent[];
  let reboots: string[];
  let image: Image | undefined;
  let rollout: string | undefined;

  beforeEach(() => {
    events = [];
    reboots = [];
    image = anImage();
    rollout = undefined;
    nodes = createNodeRegistry({
      rows: openStore(":memory:").nodes,
      events: { append: (event) => events.push(event) },
      clock: createManualClock(),
      heartbeatIntervalMs: 10_000,
      log: { error: (details) => assert.fail(String(details)) },
    });
    sendHome({
      nodes,
      images: { getByDigest: async () => image },
      agents: {
        connect: () =>
          ({
            getNode: async () => ({ facts, agent: netbooted }),
            listBlockDevices: async () => [disk],
            reboot: async (bootId: string) => void reboots.push(bootId),
            close: () => undefined,
          }) as unknown as AgentPort,
      },
      activeRolloutOf: () => rollout,
      log: { warn: (details) => assert.fail(JSON.stringify(details)) },
    });
  });

  async function comes(agent: AgentInfo = netbooted) {
    nodes.register({ id: mac, facts, agent, address });
    for (let turn = 0; turn < 5; turn++) await setImmediate();
    return nodes.get(mac) ?? assert.fail("no node");
  }

  it("is sent into the one stamped system on its card, by the ids that its root has there, unproved as yet", async () => {
    const node = await comes();
    assert.deepEqual(node.bootTarget, { kind: "local", imageDigest: digest });
    assert.deepEqual(node.installation, { imageDigest: digest, reimageId: "r-1", resident: true, root });
    assert.equal(node.proved, undefined);
    assert.deepEqual(reboots, ["boot-9"]);
    assert.match(events.map(({ message }) => message).join("\n"), /\/dev\/mmcblk0 bears the stamp of debian-12/);
  });

  it("is sent once: whoever sends it into the agent afterwards means it", async () => {
    await comes();
    nodes.setBootTarget(mac, { kind: "agent" });
    assert.deepEqual((await comes()).bootTarget, { kind: "agent" });
    assert.equal(reboots.length, 1);
  });

  it("waits for its image, and is sent at the first heartbeat after that came", async () => {
    image = undefined;
    assert.deepEqual((await comes()).bootTarget, { kind: "agent" });
    image = anImage();
    nodes.heartbeat({ id: mac, instanceId: "i", address });
    for (let turn = 0; turn < 5; turn++) await setImmediate();
    assert.equal(nodes.get(mac)?.bootTarget.kind, "local");
  });

  it("is sent back where another board had its place, and its own system is its boot target again", async () => {
    const plain: AgentInfo = { version: "1", role: "netboot", instanceId: "i", port: 7710 };
    const register = (serial: string) =>
      nodes.register({ id: mac, facts: { ...facts, serial }, agent: plain, address });
    register("aa");
    nodes.setBootTarget(mac, { kind: "local", imageDigest: digest });
    register("bb");
    register("aa");
    for (let turn = 0; turn < 5; turn++) await setImmediate();
    assert.deepEqual(nodes.get(mac)?.bootTarget, { kind: "local", imageDigest: digest });
    assert.deepEqual(reboots, ["boot-9"]);
  });

  const stays: Record<string, () => Promise<unknown>> = {
    "two disks bear a stamp": () => comes({ ...netbooted, found: [found, { ...found, disk: "/dev/sda" }] }),
    "no disk does": () => comes({ version: "1", role: "netboot", instanceId: "i", port: 7710 }),
    "a rollout is at work on it": () => {
      rollout = "r";
      return comes();
    },
    "a reimage of ours is known": async () => {
      nodes.discover(mac, address);
      nodes.voidProof(mac, { imageDigest: digest, reimageId: "r-1", resident: true });
      await comes();
    },
    "it has proved something, and was sent there by hand": async () => {
      nodes.discover(mac, address);
      nodes.setProved(mac, { imageName: "debian-12", imageDigest: digest, kind: "resident" });
      await comes();
    },
  };
  for (const [why, happens] of Object.entries(stays)) {
    it(`stays where ${why}`, async () => {
      await happens();
      assert.deepEqual(nodes.get(mac)?.bootTarget, { kind: "agent" });
      assert.deepEqual(reboots, []);
    });
  }
});
