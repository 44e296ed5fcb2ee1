import assert from "node:assert/strict";
import { beforeEach, describe, it } from "node:test";
import { setImmediate } from "node:timers/promises";
import type { AgentPort } from "../../../../controller/agents/agent-port.ts";
import { lookAtCards } from "../../../../controller/agents/look-at-cards.ts";
import type { NewEvent } from "../../../../controller/events/event.ts";
import type { PlannedBoot } from "../../../../controller/nodes/boot-watch.ts";
import { localBootsBeforeLook, wantsLook } from "../../../../controller/nodes/judge-local-boots.ts";
import type { Node } from "../../../../controller/nodes/node.ts";
import { createNodeRegistry, type NodeRegistry } from "../../../../controller/nodes/node-registry.ts";
import { openStore, type Store } from "../../../../controller/store/open-store.ts";
import type { BlockDevice } from "../../../../proto/disk/block-device.ts";
import type { AgentInfo } from "../../../../proto/node/agent-info.ts";
import type { NodeFacts } from "../../../../proto/node/node-facts.ts";
import { createManualClock, type ManualClock } from "../../proto/time/manual-clock.ts";
import { anImage, digest, mac } from "../boot/a-node.ts";

const address = "10.0.0.7";
const facts = {
  bootId: "boot-9",
  serial: "",
  interfaces: [{ name: "eth0", mac, addresses: [address] }],
  root: { source: "overlay", filesystemType: "overlay", disk: "" },
} as unknown as NodeFacts;
const netbooted: AgentInfo = { version: "1", role: "netboot", instanceId: "i", port: 7710 };
const old = { partitionUuid: "deadbeef-02", filesystemUuid: "" };
const local: PlannedBoot = { label: "local", kernel: `images/${digest}/vmlinuz`, initrd: `images/${digest}/initrd` };
const agent: PlannedBoot = { label: "agent", kernel: "agent/vmlinuz" };

describe("a node that was not heard from its card", () => {
  let store: Store;
  let nodes: NodeRegistry;
  let events: NewEvent[];
  let reboots: string[];
  let diskId: string;
  let answers: boolean;
  let clock: ManualClock;
  let rollout: string | undefined;

  const open = (): NodeRegistry => {
    const registry = createNodeRegistry({
      rows: store.nodes,
      events: { append: (event) => events.push(event) },
      clock,
      heartbeatIntervalMs: 10_000,
      log: { error: (details) => assert.fail(String(details)) },
    });
    const partition = { path: "/dev/mmcblk0p2", partitionNumber: 2, startBytes: 2 ** 29, uuid: "", children: [] };
    lookAtCards({
      nodes: registry,
      images: { getByDigest: async () => anImage() },
      agents: {
        connect: () =>
          ({
            getNode: async () => (answers ? { facts, agent: netbooted } : Promise.reject(new Error("no answer"))),
            listBlockDevices: async () => [
              {
                path: "/dev/mmcblk0",
                partitionUuid: "",
                uuid: "",
                children: [{ ...partition, partitionUuid: `${diskId}-02` }],
              } as unknown as BlockDevice,
            ],
            reboot: async (bootId: string) => void reboots.push(bootId),
            close: () => undefined,
          }) as unknown as AgentPort,
      },
      activeRolloutOf: () => rollout,
      events: { append: (event) => events.push(event) },
      log: { warn: () => undefined },
    });
    return registry;
  };
  const node = (): Node => nodes.get(mac) ?? assert.fail("no node");
  const fetch = (path: string): void => nodes.recordFetch({ address, path, outcome: "served", bytes: 1 });
  const load = (boot: PlannedBoot): void => {
    nodes.discover(mac, address);
    nodes.bootPlanned(mac, boot);
    if (boot.initrd !== undefined) fetch(boot.initrd);
    fetch(boot.kernel);
  };
  const comesIntoAgent = async (): Promise<void> => {
    nodes.register({ id: mac, facts, agent: netbooted, address });
    await setImmediate();
  };

  beforeEach(() => {
    store = openStore(":memory:");
    [events, reboots, diskId, answers] = [[], [], "0badcafe", true];
    [clock, rollout] = [createManualClock(), undefined];
    nodes = open();
    nodes.discover(mac, address);
    nodes.voidProof(mac, { imageDigest: digest, reimageId: "r", resident: true });
    nodes.setRoot(mac, "r", old);
    nodes.setBootTarget(mac, { kind: "local", imageDigest: digest });
  });

  it("is sent into the agent once, looked at and sent back, over restarts of the controller", async () => {
    for (let boot = 1; boot <= localBootsBeforeLook; boot++) {
      assert.equal(wantsLook(node()), false);
      load(local);
      nodes = open();
    }
    assert.equal(wantsLook(node()), true);
    load(agent);
    assert.equal(wantsLook(node()), false);
    nodes = open();
    await comesIntoAgent();
    assert.deepEqual(reboots, ["boot-9"]);
    assert.equal(node().installation?.root?.partitionUuid, "0badcafe-02");
    assert.match(events.map(({ message }) => message).join("\n"), /PARTUUID \(was deadbeef-02, now 0badcafe-02\)/);
    assert.match(events.at(-1)?.message ?? "", /^looked at the card of .* by other ids than were known; rebooting/);
    await comesIntoAgent();
    assert.equal(reboots.length, 1, "who comes into the agent later stays there");
  });

  describe("that was looked at, and is not heard again", () => {
    const silentBoots = (everyMs: number): void => {
      for (let boot = 1; boot <= localBootsBeforeLook; boot++) {
        load(local);
        clock.advance(everyMs);
      }
    };
    const round = async (everyMs: number): Promise<void> => {
      silentBoots(everyMs);
      load(agent);
      nodes = open();
      await comesIntoAgent();
    };

    it("stays in the agent, with an event that says why and what to do", async () => {
      nodes.setRoot(mac, "r", { partitionUuid: "0badcafe-02", filesystemUuid: "" });
      await round(60_000);
      assert.equal(reboots.length, 1);
      assert.equal(node().bootTarget.kind, "local");
      await round(60_000);
      assert.equal(reboots.length, 1);
      assert.equal(node().bootTarget.kind, "agent");
      const told = events.filter(({ type }) => type === "node-kept-in-agent");
      assert.equal(told.length, 1);
      assert.match(
        told[0]?.message ?? "",
        /stays in the agent.*controller reimage node-000001.*boot node-000001 local/,
      );
      nodes.setBootTarget(mac, { kind: "local", imageDigest: digest });
      await round(60_000);
      assert.equal(node().bootTarget.kind, "local", "who was sent back has the same chances again");
    });

    it("takes the detour each time when its boots are far apart: its owner may have stopped the resident agent", async () => {
      for (let times = 1; times <= 4; times++) {
        await round(3_600_000);
        assert.equal(node().bootTarget.kind, "local");
        assert.equal(reboots.length, times);
      }
    });

    it("has another chance when the look found something new", async () => {
      await round(60_000);
      diskId = "12345678";
      await round(60_000);
      assert.equal(node().bootTarget.kind, "local");
      assert.equal(node().installation?.root?.partitionUuid, "12345678-02");
    });

    it("is left to the rollout that is at work on it", async () => {
      rollout = "r1";
      for (let times = 1; times <= 3; times++) await round(60_000);
      assert.equal(node().bootTarget.kind, "local");
    });

    it("is not kept by what others fetch in its name while its system is heard", async () => {
      const system = { ...netbooted, role: "resident", instanceId: "s" } as const;
      nodes.register({ id: mac, facts: { ...facts, bootId: "boot-10" }, agent: system, address });
      for (let times = 1; times <= 5; times++) {
        silentBoots(1000);
        assert.equal(wantsLook(node()), true);
        load(agent);
        nodes.heartbeat({ id: mac, instanceId: "s", address });
        assert.equal(wantsLook(node()), false);
      }
      silentBoots(1000);
      load(agent);
      await comesIntoAgent();
      assert.equal(node().bootTarget.kind, "local");
    });

    it("goes into the agent when its kernel never comes through, and is not kept there for that", async () => {
      const giveUp = (): void => {
        for (let boot = 0; boot <= localBootsBeforeLook; boot++) {
          nodes.bootPlanned(mac, local);
          clock.advance(30_000);
        }
      };
      for (let times = 1; times <= 3; times++) {
        giveUp();
        assert.equal(wantsLook(node()), true);
        load(agent);
        await comesIntoAgent();
        assert.equal(node().bootTarget.kind, "local");
        assert.equal(reboots.length, times);
        clock.advance(30_000);
      }
    });

    it("is forgiven once its system is heard", async () => {
      await round(60_000);
      silentBoots(60_000);
      const installed = { imageName: "debian", imageDigest: digest, reimageId: "r", installedAt: "" };
      const system = { ...netbooted, role: "resident", instanceId: "s", installed } as const;
      nodes.register({ id: mac, facts: { ...facts, bootId: "boot-10" }, agent: system, address });
      await round(60_000);
      assert.equal(node().bootTarget.kind, "local");
    });
  });

  it("counts a boot only when kernel and initrd are completely there", () => {
    nodes.bootPlanned(mac, local);
    fetch(local.kernel);
    assert.equal(node().installation?.localBoots, undefined);
    fetch(local.kernel);
    fetch(local.initrd ?? "");
    fetch(local.kernel);
    assert.equal(node().installation?.localBoots, 1);
  });

  it("has had its first boot's words once they, kernel and initrd were fetched", () => {
    load({ ...local, firstBoot: "done" });
    assert.equal(node().installation?.firstBoot, "done");
    nodes = open();
    assert.equal(node().installation?.firstBoot, "done");
  });

  it("has had them as soon as its firmware has kernel and command line, and asks in an order of its own", () => {
    fetch(local.initrd ?? "");
    nodes.bootPlanned(mac, { ...local, firstBoot: "done", byFirmware: true });
    assert.equal(node().installation?.firstBoot, "due");
    fetch(local.kernel);
    assert.equal(node().installation?.firstBoot, "due");
    nodes.recordFetch({
      address: "10.0.0.7",
      mac,
      path: "pallet/0123456789ab/cmdline.txt",
      outcome: "served",
      bytes: 1,
    });
    assert.equal(node().installation?.firstBoot, "done");
  });

  it("is tried again when its agent does not answer", async () => {
    for (let boot = 1; boot <= localBootsBeforeLook; boot++) load(local);
    load(agent);
    answers = false;
    await comesIntoAgent();
    await setImmediate();
    assert.deepEqual(reboots, []);
    answers = true;
    nodes.heartbeat({ id: mac, instanceId: "i" });
    await setImmediate();
    assert.deepEqual(reboots, ["boot-9"]);
  });

  it("stays in the agent when nobody sent it there for a look", async () => {
    await comesIntoAgent();
    assert.deepEqual(reboots, []);
  });

  it("is not looked at after it got another boot target", async () => {
    for (let boot = 1; boot <= localBootsBeforeLook; boot++) load(local);
    load(agent);
    nodes.setBootTarget(mac, { kind: "agent" });
    await comesIntoAgent();
    assert.deepEqual(reboots, []);
  });
});
