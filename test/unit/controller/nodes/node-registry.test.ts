import assert from "node:assert/strict";
import { beforeEach, describe, it } from "node:test";
import { setImmediate } from "node:timers/promises";
import type { NewEvent } from "../../../../controller/events/event.ts";
import type { NodeChange } from "../../../../controller/nodes/node-change.ts";
import { createNodeRegistry, type NodeRegistry } from "../../../../controller/nodes/node-registry.ts";
import type { Registration } from "../../../../controller/nodes/registration.ts";
import { openStore, type Store } from "../../../../controller/store/open-store.ts";
import type { NodeId } from "../../../../proto/names/node-id.ts";
import type { AgentInfo } from "../../../../proto/node/agent-info.ts";
import type { NodeFacts } from "../../../../proto/node/node-facts.ts";
import type { ImageDigest } from "../../../../proto/pack/digest.ts";
import { createManualClock, type ManualClock } from "../../proto/time/manual-clock.ts";

const one = "b8:27:eb:00:00:01" as NodeId;
const two = "b8:27:eb:00:00:02" as NodeId;
const digest = "d".repeat(64) as ImageDigest;
const heartbeatIntervalMs = 10_000;

const facts: NodeFacts = {
  model: "Raspberry Pi 4 Model B Rev 1.4",
  serial: "100000005e1fabcd",
  interfaces: [{ name: "eth0", mac: one, addresses: ["10.0.0.7"] }],
  memoryBytes: 4e9,
  cpuCount: 4,
  cpuModel: "Cortex-A72",
  temperatureCelsius: 50,
  kernel: "6.1.0",
  architecture: "arm64",
  bootId: "boot-1",
  root: { source: "10.0.0.1:/srv", filesystemType: "nfs", disk: "" },
  hostname: "pi",
  uptimeSeconds: 30,
};
const agent: AgentInfo = { version: "0.1.0", role: "netboot", instanceId: "instance-1", port: 7710 };
const registration: Registration = { id: one, facts, agent, address: "10.0.0.7" };

describe("node registry", () => {
  let clock: ManualClock;
  /** By how much the time of day was set. */
  let setByMs: number;
  /** For how long the machine slept. */
  let sleptMs: number;
  let store: Store;
  let events: NewEvent[];
  let changes: NodeChange[];
  let errors: unknown[];
  let nodes: NodeRegistry;

  const open = (): NodeRegistry => {
    const registry = createNodeRegistry({
      rows: store.nodes,
      events: { append: (event) => events.push(event) },
      clock: { ...clock, now: () => clock.now() + sleptMs + setByMs },
      monotonic: clock,
      moment: () => ({ bootId: "boot", ms: clock.now() + sleptMs }),
      heartbeatIntervalMs,
      log: { error: (details) => errors.push(details) },
      macAddressOf: async (address) => (address === "10.0.0.9" ? ("b8:27:eb:00:00:09" as NodeId) : undefined),
    });
    registry.onChange((change) => changes.push(change));
    return registry;
  };
  const types = (): string[] => events.map((event) => event.type);
  const fetchConfig = (mac: NodeId, address = "10.0.0.7"): void => {
    nodes.recordFetch({
      address,
      mac,
      path: `pxelinux.cfg/01-${mac.replaceAll(":", "-")}`,
      outcome: "served",
      bytes: 100,
    });
  };
  const fetchBySerial = (address: string): void =>
    nodes.recordFetch({ address, path: "5e1fabcd/start4.elf", outcome: "served", bytes: 9 });

  beforeEach(() => {
    clock = createManualClock();
    setByMs = 0;
    sleptMs = 0;
    store = openStore(":memory:");
    events = [];
    changes = [];
    errors = [];
    nodes = open();
  });

  it("notes a lease of a known node: its address where no agent says better, and whose fetches come from there", () => {
    nodes.recordLease(one, "10.0.0.50");
    assert.deepEqual(nodes.list(), []);
    nodes.discover(one, "10.0.0.7");
    nodes.recordLease(one, "10.0.0.50");
    assert.equal(nodes.get(one)?.address, "10.0.0.50");
    nodes.recordFetch({ address: "10.0.0.50", path: "agent/vmlinuz", outcome: "served", bytes: 9 });
    assert.equal(nodes.get(one)?.bootStage?.path, "agent/vmlinuz");
    nodes.register(registration);
    nodes.recordLease(one, "10.0.0.51");
    assert.equal(nodes.get(one)?.address, "10.0.0.7");
    assert.equal(nodes.isOnline(nodes.get(one) ?? assert.fail()), true);
    assert.equal(changes.filter(({ cause }) => cause === "address-leased").length, 2);
  });

  it("records a MAC address that it never saw: not accepted, boot target agent", () => {
    const node = nodes.discover(one, "10.0.0.7") ?? assert.fail();
    assert.equal(node.name, "node-000001");
    assert.equal(node.accepted, false);
    assert.deepEqual(node.bootTarget, { kind: "agent" });
    assert.equal(node.address, "10.0.0.7");
    assert.deepEqual(types(), ["node-discovered"]);
    assert.deepEqual(store.nodes.all(), [node]);
  });

  it("discovers a node only once", () => {
    nodes.discover(one, "10.0.0.7");
    nodes.discover(one, "10.0.0.8");
    assert.deepEqual(types(), ["node-discovered"]);
  });

  it("gives two nodes with the same last octets different names", () => {
    nodes.discover(one, "10.0.0.7");
    assert.equal(nodes.discover("aa:27:eb:00:00:01" as NodeId, "10.0.0.8")?.name, "node-eb000001");
  });

  it("bounds how many nodes strangers can make it record", () => {
    store.nodes.saveAll(
      Array.from({ length: 5000 }, (_, index) => ({
        id: `02:00:00:00:${(index >> 8).toString(16)}:${(index & 255).toString(16)}` as NodeId,
        name: `n${index}`,
        accepted: true,
        bootTarget: { kind: "agent" },
        lastSeenAt: 0,
        discoveredAt: 0,
      })),
    );
    nodes = open();
    assert.equal(nodes.discover(one, "10.0.0.7"), undefined);
    assert.throws(() => nodes.register(registration), /5000 nodes are already known/);
    assert.equal(nodes.list().length, 5000);
  });

  describe("registration", () => {
    it("discovers, keeps facts and agent, and makes the node online", () => {
      const node = nodes.register(registration);
      assert.deepEqual(node.facts, facts);
      assert.deepEqual(node.agent, agent);
      assert.equal(nodes.isOnline(node), true);
      assert.deepEqual(types(), ["node-discovered", "node-registered"]);
      assert.deepEqual(
        changes.map((change) => change.cause),
        ["discovered", "registered"],
      );
    });

    it("keeps name, acceptance and boot target of a node that registers again", () => {
      nodes.register(registration);
      nodes.rename(one, "rack1");
      nodes.accept(one);
      nodes.setBootTarget(one, { kind: "local", imageDigest: digest });
      const node = nodes.register({ ...registration, agent: { ...agent, instanceId: "instance-2" } });
      assert.equal(node.name, "rack1");
      assert.equal(node.accepted, true);
      assert.deepEqual(node.bootTarget, { kind: "local", imageDigest: digest });
    });

    it("tells of an instance only once", () => {
      nodes.register(registration);
      nodes.register(registration);
      nodes.register({ ...registration, agent: { ...agent, instanceId: "instance-2" } });
      assert.deepEqual(types(), ["node-discovered", "node-registered", "node-registered"]);
    });

    it("is refused when the MAC address is none of the node's own", () => {
      assert.throws(() => nodes.register({ ...registration, id: two }), {
        reason: "invalid",
        message: /b8:27:eb:00:00:02 cannot register.*b8:27:eb:00:00:01.*pallet\.node=/s,
      });
      assert.deepEqual(nodes.list(), []);
    });

    it("takes another serial number for another board, and the first one for itself", () => {
      nodes.register(registration);
      nodes.accept(one);
      nodes.rename(one, "pi-1");
      nodes.setBootTarget(one, { kind: "local", imageDigest: digest });
      const before = nodes.get(one);
      events.length = 0;
      const other = nodes.register({ ...registration, facts: { ...facts, serial: "ff" } });
      assert.deepEqual([other.name, other.accepted, other.bootTarget], ["node-000001", false, { kind: "agent" }]);
      assert.equal(events[0]?.type, "board-changed");
      assert.equal(events[0]?.severity, "warning");
      assert.match(events[0]?.message ?? "", /node-000001 is another board \(serial number ff\) than pi-1/);
      assert.throws(() => nodes.require("pi-1"), /"pi-1" is not there: node-000001 is another board/);
      assert.throws(() => nodes.rename(one, "pi-1"), { kind: "already-exists" });
      nodes = open();
      nodes.register(registration);
      const { name, accepted, bootTarget } = nodes.get(one) ?? {};
      assert.deepEqual([name, accepted, bootTarget], [before?.name, before?.accepted, before?.bootTarget]);
      assert.match(events.at(-1)?.message ?? "", /pi-1 (is the board with the serial number|registered)/);
    });

    it("lets another board take over a name when it is accepted, once", () => {
      nodes.register(registration);
      nodes.accept(one);
      nodes.rename(one, "pi-1");
      nodes.register({ ...registration, facts: { ...facts, serial: "ff" } });
      assert.equal(nodes.accept(one).name, "pi-1");
      assert.match(events.at(-1)?.message ?? "", /pi-1 was accepted, in place of the board.*it was node-000001/);
      assert.equal(nodes.require("ff").name, "pi-1");
    });
  });

  describe("heartbeats", () => {
    it("keep a node online and bring its temperature", () => {
      nodes.register(registration);
      for (let beat = 0; beat < 10; beat++) {
        clock.advance(heartbeatIntervalMs);
        nodes.heartbeat({ id: one, instanceId: "instance-1", temperatureCelsius: 40 + beat });
      }
      const node = nodes.require("node-000001");
      assert.equal(nodes.isOnline(node), true);
      assert.equal(node.facts?.temperatureCelsius, 49);
      assert.deepEqual(types(), ["node-discovered", "node-registered"]);
    });

    it("of an unknown node or another instance are refused as not found", () => {
      assert.throws(() => nodes.heartbeat({ id: one, instanceId: "instance-1" }), { kind: "not-found" });
      nodes.discover(one, "10.0.0.7");
      assert.throws(() => nodes.heartbeat({ id: one, instanceId: "instance-1" }), { kind: "not-found" });
      nodes.register(registration);
      assert.throws(() => nodes.heartbeat({ id: one, instanceId: "instance-2" }), { kind: "not-found" });
    });

    it("that stop make the node silent, once; one that comes brings it back, once", () => {
      nodes.register(registration);
      clock.advance(3 * heartbeatIntervalMs);
      assert.equal(nodes.isOnline(nodes.require("node-000001")), true);
      clock.advance(10 * heartbeatIntervalMs);
      assert.equal(nodes.isOnline(nodes.require("node-000001")), false);
      nodes.heartbeat({ id: one, instanceId: "instance-1" });
      nodes.heartbeat({ id: one, instanceId: "instance-1" });
      assert.deepEqual(types().slice(2), ["node-went-silent", "node-came-back"]);
      assert.match(events.at(-1)?.message ?? "", /after 130 s/);
      assert.deepEqual(changes.map((change) => change.cause).slice(2), [
        "went-silent",
        "came-back",
        "heartbeat",
        "heartbeat",
      ]);
    });

    it("after a restart of the controller go on without a new registration", () => {
      nodes.register(registration);
      nodes.close();
      clock.advance(heartbeatIntervalMs);
      nodes = open();
      assert.equal(nodes.isOnline(nodes.require("node-000001")), true);
      nodes.heartbeat({ id: one, instanceId: "instance-1" });
      assert.deepEqual(types(), ["node-discovered", "node-registered"]);
    });
  });

  describe("a clock that is set", () => {
    for (const byMs of [1200 * 86_400_000, -1200 * 86_400_000])
      it(`by ${byMs / 86_400_000} days changes nothing of how long ago things were, and makes no events`, () => {
        const two = "b8:27:eb:00:00:02" as NodeId;
        nodes.register(registration);
        nodes.discover(two, "10.0.0.8");
        nodes.accept(two);
        nodes.bootPlanned(two, { label: "agent", kernel: "agent/vmlinuz" });
        fetchConfig(two, "10.0.0.8");
        clock.advance(20 * 60_000);
        nodes.heartbeat({ id: one, instanceId: "instance-1" });
        const told = types().length;
        const [before, bootBefore] = [nodes.get(one) ?? assert.fail(), nodes.get(two) ?? assert.fail()];
        setByMs = byMs;
        clock.advance(heartbeatIntervalMs);
        const node = nodes.get(one) ?? assert.fail();
        assert.equal(node.agentSeenAt, (before.agentSeenAt ?? 0) + byMs);
        assert.equal(node.discoveredAt, before.discoveredAt, "a date of record stays");
        assert.equal(nodes.isOnline(node), true);
        const booting = nodes.get(two) ?? assert.fail();
        assert.deepEqual(
          [booting.lastSeenAt, booting.bootStage?.at, booting.boots?.firstAt, booting.boots?.lastAt],
          [bootBefore.lastSeenAt, bootBefore.bootStage?.at, bootBefore.boots?.firstAt, bootBefore.boots?.lastAt].map(
            (at) => (at ?? Number.NaN) + byMs,
          ),
        );
        nodes.heartbeat({ id: one, instanceId: "instance-1" });
        clock.advance(heartbeatIntervalMs);
        assert.deepEqual(types().slice(told), []);
        clock.advance(10 * heartbeatIntervalMs);
        nodes.heartbeat({ id: one, instanceId: "instance-1" });
        assert.deepEqual(types().slice(told), ["node-went-silent", "node-came-back"]);
        assert.match(events.at(-1)?.message ?? "", /again after 110 s$/);
      });

    it("tells of a boot that hangs when it has hung for ten minutes", () => {
      clock.advance(20 * 60_000);
      nodes.discover(one, "10.0.0.7");
      nodes.accept(one);
      nodes.bootPlanned(one, { label: "agent", kernel: "agent/vmlinuz" });
      fetchConfig(one);
      clock.advance(60_000);
      setByMs = 1200 * 86_400_000;
      clock.advance(8 * 60_000);
      assert.equal(types().includes("boot-trouble-began"), false);
      clock.advance(2 * 60_000);
      assert.match(
        events.find(({ type }) => type === "boot-trouble-began")?.message ?? "",
        /not up: last got to its boot config 10 min ago/,
      );
    });

    it("is noticed by whoever looks at a node first", () => {
      nodes.register(registration);
      const { agentSeenAt } = nodes.get(one) ?? assert.fail();
      setByMs = 1200 * 86_400_000;
      assert.equal(nodes.get(one)?.agentSeenAt, (agentSeenAt ?? 0) + setByMs);
      assert.equal(nodes.list()[0]?.agentSeenAt, (agentSeenAt ?? 0) + setByMs);
    });

    it("is not one that a machine finds which has slept", () => {
      nodes.register(registration);
      const { lastSeenAt } = nodes.get(one) ?? assert.fail();
      // Both go on; only the monotonic one has stood still.
      sleptMs = 8 * 3_600_000;
      clock.advance(heartbeatIntervalMs);
      assert.equal(nodes.get(one)?.lastSeenAt, lastSeenAt);
      assert.equal(nodes.isOnline(nodes.require("node-000001")), true);
    });

    it("leaves alone what an earlier process noted", () => {
      nodes.register(registration);
      const { lastSeenAt } = nodes.get(one) ?? assert.fail();
      nodes.close();
      clock.advance(86_400_000);
      nodes = open();
      setByMs = 1200 * 86_400_000;
      clock.advance(heartbeatIntervalMs);
      assert.equal(nodes.get(one)?.lastSeenAt, lastSeenAt);
    });
  });

  describe("boot files", () => {
    it("move the boot stage of the node that asked for them, by the address of its config", () => {
      nodes.discover(one, "10.0.0.7");
      fetchConfig(one);
      clock.advance(5);
      nodes.recordFetch({ address: "10.0.0.7", path: "agent/vmlinuz", outcome: "served", bytes: 9 });
      assert.deepEqual(nodes.get(one)?.bootStage, { path: "agent/vmlinuz", at: clock.now(), served: true });
      assert.deepEqual(
        changes.map((change) => change.cause),
        ["discovered", "boot-file-fetched", "boot-file-fetched"],
      );
    });

    it("count after the clock was set back, although the agent was heard in what is now the future", () => {
      nodes.register(registration);
      setByMs = -3_600_000;
      fetchConfig(one);
      assert.equal(nodes.get(one)?.agentSeenAt, undefined);
      assert.equal(changes.at(-1)?.cause, "boot-file-fetched");
    });

    it("that were given up only after the agent was heard do not make the node a booting one again", () => {
      nodes.register(registration);
      const before = nodes.get(one);
      const late = { address: "10.0.0.7", path: "agent/vmlinuz", outcome: "served", bytes: 9 } as const;
      clock.advance(5000);
      nodes.recordFetch({ ...late, silentMs: 12_000 });
      assert.deepEqual(nodes.get(one), before);
      assert.equal(nodes.isOnline(nodes.require("node-000001")), true);
      nodes.recordFetch({ ...late, silentMs: 3000 });
      assert.equal(nodes.get(one)?.agentSeenAt, undefined);
    });

    it("of an address that belongs to nobody are nobody's", () => {
      nodes.recordFetch({ address: "10.0.0.9", path: "bootcode.bin", outcome: "served", bytes: 9 });
      assert.deepEqual(changes, []);
      assert.deepEqual(events, []);
    });

    it("are told apart by the serial number that firmware puts before its paths", () => {
      nodes.register(registration);
      nodes.recordFetch({ address: "10.0.0.99", path: "5e1fabcd/start4.elf", outcome: "not-found", bytes: 0 });
      assert.equal(nodes.get(one)?.bootStage?.path, "5e1fabcd/start4.elf");
    });

    for (const [what, evidence] of [
      ["a boot config", () => fetchConfig(one, "10.0.0.99")],
      ["a boot file by serial number", () => fetchBySerial("10.0.0.99")],
      ["a lease", () => nodes.recordLease(one, "10.0.0.99")],
    ] as const) {
      it(`and leases never move a node's agent: ${what} from elsewhere while it is heard, and when it is not`, () => {
        nodes.register(registration);
        for (let times = 0; times < 3; times += 1) {
          clock.advance(heartbeatIntervalMs);
          nodes.heartbeat({ id: one, instanceId: agent.instanceId, address: "10.0.0.7" });
          evidence();
          const node = nodes.get(one) ?? assert.fail();
          assert.deepEqual([node.address, node.bootAddress, nodes.isOnline(node)], ["10.0.0.7", "10.0.0.99", true]);
        }
        clock.advance(10 * heartbeatIntervalMs);
        evidence();
        const { address, bootAddress } = nodes.get(one) ?? assert.fail();
        assert.deepEqual([address, bootAddress], ["10.0.0.7", "10.0.0.99"]);
        nodes.register({ ...registration, address: "10.0.0.50" });
        const { address: now, bootAddress: gone } = nodes.get(one) ?? assert.fail();
        assert.deepEqual([now, gone], ["10.0.0.50", undefined]);
      });
    }

    it("from elsewhere, and then no heartbeat, are a boot whose loader has another address: no silence", () => {
      nodes.register(registration);
      clock.advance(1);
      fetchConfig(one, "10.0.0.99");
      assert.equal(nodes.isOnline(nodes.require("node-000001")), true);
      clock.advance(10 * heartbeatIntervalMs);
      assert.equal(nodes.isOnline(nodes.require("node-000001")), false);
      assert.equal(types().includes("node-went-silent"), false);
      nodes.register({ ...registration, agent: { ...agent, instanceId: "next" } });
      assert.equal(types().includes("node-came-back"), false);
    });

    it("from elsewhere, and then heartbeats, are forgotten when those stop: the node went silent", () => {
      nodes.register(registration);
      fetchConfig(one, "10.0.0.99");
      clock.advance(heartbeatIntervalMs);
      nodes.heartbeat({ id: one, instanceId: agent.instanceId, address: "10.0.0.7" });
      clock.advance(10 * heartbeatIntervalMs);
      assert.equal(types().includes("node-went-silent"), true);
    });

    it("bring a new address to a node that never had an agent", () => {
      nodes.discover(one, "10.0.0.7");
      fetchConfig(one, "10.0.0.99");
      assert.equal(nodes.get(one)?.address, "10.0.0.99");
    });

    it("leave a readable log: the config and the kernel, not every probe", () => {
      nodes.discover(one, "10.0.0.7");
      nodes.bootPlanned(one, { label: "agent", kernel: "agent/vmlinuz", initrd: "agent/initrd" });
      fetchConfig(one);
      for (const path of ["agent/initrd", "agent/vmlinuz", "/agent/vmlinuz", "bcm2711.dtb"]) {
        nodes.recordFetch({ address: "10.0.0.7", path, outcome: "served", bytes: 9 });
      }
      nodes.recordFetch({ address: "10.0.0.7", path: "pxelinux.cfg/default", outcome: "not-found", bytes: 0 });
      assert.deepEqual(types(), ["node-discovered", "boot-config-rendered", "boot-file-fetched"]);
      assert.match(events[1]?.message ?? "", /boots agent/);
      assert.match(events[2]?.message ?? "", /kernel "agent\/vmlinuz"/);
    });

    it("that its config named and that are missing are an error", () => {
      nodes.discover(one, "10.0.0.7");
      nodes.bootPlanned(one, { label: "agent", kernel: "agent/vmlinuz" });
      nodes.recordFetch({ address: "10.0.0.7", path: "agent/vmlinuz", outcome: "not-found", bytes: 0 });
      assert.equal(events.at(-1)?.severity, "error");
      assert.match(events.at(-1)?.message ?? "", /kernel "agent\/vmlinuz", which is not in the boot tree/);
    });

    it("that are refused are told at most once an hour for an address, in printable words", async () => {
      const refused = { address: "10.0.0.9", path: "../../etc/shadow\n", outcome: "refused", bytes: 0 } as const;
      nodes.recordFetch(refused);
      nodes.recordFetch(refused);
      clock.advance(60 * 60_000);
      nodes.recordFetch(refused);
      await setImmediate();
      assert.deepEqual(types(), ["boot-file-refused", "boot-file-refused"]);
      assert.match(
        events[0]?.message ?? "",
        /"\.\.\/\.\.\/etc\/shadow\?" to 10\.0\.0\.9 \(b8:27:eb:00:00:09, not a known node\)/,
      );
    });

    it("that are missing are told with address and MAC address, once an hour for each, and not those that may be", async () => {
      nodes.discover(one, "10.0.0.7");
      const miss = (path: string, address = "10.0.0.9"): void =>
        nodes.recordFetch({ address, path, outcome: "not-found", bytes: 0 });
      for (const path of ["bootsig.bin", "start4.elf", "5e1fabcd/start4.elf", "start4.elf", "pxelinux.cfg/default"])
        miss(path);
      miss("start.elf", "10.0.0.7");
      await setImmediate();
      const missing = events.filter(({ type }) => type === "boot-file-missing");
      assert.deepEqual(
        missing.map(({ message, nodeId }) => [message.split(",")[0], nodeId]),
        [
          ["node-000001 (b8:27:eb:00:00:01", one],
          ["10.0.0.9 (b8:27:eb:00:00:09", undefined],
        ],
      );
      assert.match(
        missing[1]?.message ?? "",
        /not a known node\) asked for "start4\.elf", which is not in the boot tree/,
      );
      assert.equal(nodes.get(one)?.bootStage?.missing, true);
      miss("recovery.elf", "10.0.0.7");
      assert.equal(nodes.get(one)?.bootStage?.path, "start.elf");
      fetchConfig(one);
      assert.equal(nodes.get(one)?.bootStage?.missing, undefined);
    });

    it("that are missing fill no log, however many names are tried", async () => {
      for (let name = 0; name < 1000; name++)
        nodes.recordFetch({ address: "10.0.0.9", path: `file-${name}`, outcome: "not-found", bytes: 0 });
      await setImmediate();
      assert.equal(types().length, 20);
    });

    for (const path of ["bootcode.bin", "pxelinux.cfg/01-b8-27-eb-00-00-01"]) {
      it(`end the agent of before: a node that fetches ${path} is booting, and not silent`, () => {
        nodes.register(registration);
        const mac = path.startsWith("pxe") ? { mac: one } : {};
        nodes.recordFetch({ address: "10.0.0.7", path, outcome: "not-found", bytes: 0, ...mac });
        assert.equal(nodes.isOnline(nodes.require("node-000001")), false);
        clock.advance(10 * heartbeatIntervalMs);
        assert.equal(types().includes("node-went-silent"), false);
      });
    }
  });

  describe("find", () => {
    beforeEach(() => {
      nodes.register(registration);
      nodes.rename(one, "rack1");
    });
    for (const text of [
      "rack1",
      "B8-27-EB-00-00-01",
      "b827.eb00.0001",
      "100000005e1fabcd",
      "100000005E1FABCD",
      "5e1fabcd",
    ]) {
      it(`knows the node by ${text}`, () => assert.equal(nodes.find(text)?.id, one));
    }
    for (const text of ["", "rack", "b8:27:eb:00:00:02", "1fabcd"]) {
      it(`knows none by ${JSON.stringify(text)}`, () => {
        assert.equal(nodes.find(text), undefined);
        assert.throws(() => nodes.require(text), { kind: "not-found" });
      });
    }
    it("refuses a serial number that two nodes have", () => {
      const interfaces = [{ name: "eth0", mac: two, addresses: [] }];
      nodes.register({ ...registration, id: two, facts: { ...facts, interfaces } });
      assert.throws(() => nodes.find("100000005e1fabcd"), /several nodes.*node-000002, rack1|rack1, node-000002/);
    });
  });

  describe("renaming", () => {
    beforeEach(() => nodes.register(registration));

    it("refuses malformed names and those that stand for another node", () => {
      nodes.discover(two, "10.0.0.8");
      assert.throws(() => nodes.rename(two, "No"), { reason: "invalid" });
      assert.throws(() => nodes.rename(two, "node-000001"), { kind: "already-exists" });
      assert.throws(() => nodes.rename("b8:27:eb:00:00:03" as NodeId, "x"), { kind: "not-found" });
    });

    it("to its own name changes nothing", () => {
      nodes.rename(one, "node-000001");
      assert.equal(types().includes("node-renamed"), false);
    });
  });

  it("changes the boot target durably, and tells it only when it changes", () => {
    nodes.discover(one, "10.0.0.7");
    nodes.setBootTarget(one, { kind: "agent" });
    nodes.setBootTarget(one, { kind: "local", imageDigest: digest });
    nodes.setBootTarget(one, { kind: "local", imageDigest: digest });
    assert.deepEqual(types(), ["node-discovered", "boot-target-changed"]);
    assert.deepEqual(store.nodes.all()[0]?.bootTarget, { kind: "local", imageDigest: digest });
  });

  it("forgets everything about a node, which may then come anew", () => {
    nodes.register(registration);
    nodes.forget(one);
    assert.deepEqual(nodes.list(), []);
    assert.deepEqual(store.nodes.all(), []);
    assert.equal(changes.at(-1)?.cause, "forgotten");
    clock.advance(10 * heartbeatIntervalMs);
    assert.equal(types().at(-1), "node-forgotten");
    assert.equal(nodes.discover(one, "10.0.0.7")?.accepted, false);
  });

  it("writes what changes often only now and then, and at the end", () => {
    nodes.register(registration);
    const registeredAt = clock.now();
    clock.advance(1000);
    nodes.heartbeat({ id: one, instanceId: "instance-1" });
    assert.equal(store.nodes.all()[0]?.lastSeenAt, registeredAt);
    clock.advance(heartbeatIntervalMs);
    assert.equal(store.nodes.all()[0]?.lastSeenAt, registeredAt + 1000);
    nodes.heartbeat({ id: one, instanceId: "instance-1" });
    nodes.close();
    assert.equal(store.nodes.all()[0]?.lastSeenAt, registeredAt + 1000 + heartbeatIntervalMs);
  });

  it("goes on when the disk is full, says so, and saves later", () => {
    const { saveAll } = store.nodes;
    nodes.register(registration);
    nodes.heartbeat({ id: one, instanceId: "instance-1", temperatureCelsius: 60 });
    store.nodes.saveAll = () => {
      throw new Error("database or disk is full");
    };
    clock.advance(heartbeatIntervalMs);
    assert.ok(errors.length > 0);
    store.nodes.saveAll = saveAll;
    clock.advance(heartbeatIntervalMs);
    assert.equal(store.nodes.all()[0]?.facts?.temperatureCelsius, 60);
  });

  it("goes on when a listener throws, and says so", () => {
    nodes.onChange(() => {
      throw new Error("no");
    });
    nodes.discover(one, "10.0.0.7");
    assert.equal(changes.length, 1);
    assert.equal(errors.length, 1);
  });
});
