import assert from "node:assert/strict";
import { beforeEach, describe, it } from "node:test";
import type { NewEvent } from "../../../../controller/events/event.ts";
import type { BootFetch } from "../../../../controller/nodes/boot-fetch.ts";
import { createNodeRegistry, type NodeRegistry } from "../../../../controller/nodes/node-registry.ts";
import { openStore, type Store } from "../../../../controller/store/open-store.ts";
import type { NodeFacts } from "../../../../proto/node/node-facts.ts";
import { createManualClock, type ManualClock } from "../../proto/time/manual-clock.ts";
import { mac } from "../boot/a-node.ts";

const address = "10.0.0.7";
const kernel = "agent/vmlinuz";
const minute = 60_000;
const facts = {
  bootId: "b",
  serial: "",
  interfaces: [{ name: "eth0", mac, addresses: [address] }],
  root: { source: "", filesystemType: "nfs", disk: "" },
} as unknown as NodeFacts;

describe("a node that is booting", () => {
  let clock: ManualClock;
  let store: Store;
  let events: NewEvent[];
  let nodes: NodeRegistry;

  const open = (): NodeRegistry =>
    createNodeRegistry({
      rows: store.nodes,
      events: { append: (event) => events.push(event) },
      clock,
      heartbeatIntervalMs: 10_000,
      log: { error: (details) => assert.fail(JSON.stringify(details)) },
    });
  const told = (): string[] =>
    events.filter(({ type }) => type.startsWith("boot-trouble")).map(({ type, message }) => `${type}: ${message}`);
  const shown = (): string[] => nodes.troublesOf(nodes.get(mac) ?? assert.fail()).map(({ message }) => message);
  const begin = (): void => {
    nodes.discover(mac, address);
    nodes.bootPlanned(mac, { label: "agent", kernel });
  };
  const fetchKernel = (outcome: BootFetch["outcome"], bytes = 9): void =>
    nodes.recordFetch({ address, path: kernel, outcome, bytes });
  const register = (): void =>
    void nodes.register({
      id: mac,
      facts,
      agent: { version: "1", role: "netboot", instanceId: "i", port: 7710 },
      address,
    });

  beforeEach(() => {
    [clock, store, events] = [createManualClock(1e9), openStore(":memory:"), []];
    nodes = open();
  });

  it("and hangs is told of after ten minutes, over a restart of the controller once, and again when it is up", async () => {
    begin();
    fetchKernel("served");
    await clock.advance(11 * minute);
    assert.equal(told().length, 1);
    assert.match(
      told()[0] ?? "",
      /began: node-000001: not up: last got to its kernel 10 min ago, not heard since; look at its console/,
    );
    nodes.close();
    nodes = open();
    await clock.advance(20 * minute);
    assert.deepEqual(shown(), ["not up: last got to its kernel 31 min ago, not heard since"]);
    register();
    assert.deepEqual(told().slice(1), ["boot-trouble-ended: node-000001 is up, after one boot in 31 min"]);
    assert.deepEqual(shown(), []);
  });

  it("has its patience after a start of the controller, which may have missed its registration", async () => {
    begin();
    fetchKernel("served");
    nodes.close();
    await clock.advance(60 * minute);
    nodes = open();
    await clock.advance(9 * minute);
    assert.deepEqual(told(), []);
    register();
    await clock.advance(60 * minute);
    assert.deepEqual(told(), []);
  });

  it("and whose transfers break off midway is told of; who only asks for a length is not", () => {
    begin();
    for (let each = 0; each < 9; each++) fetchKernel("aborted", 0);
    assert.deepEqual(told(), []);
    for (let each = 0; each < 3; each++) fetchKernel("aborted");
    assert.match(
      told().join(),
      /^boot-trouble-began: node-000001: transfers die: 3 broke off .*MTU \(tftp\.maxBlockBytes\)$/,
    );
    assert.equal(nodes.troublesOf(nodes.get(mac) ?? assert.fail())[0]?.kind, "transfers-die");
  });

  it("again and again is in a loop; a node that registers each time is not", async () => {
    for (let boot = 0; boot < 9; boot++) {
      begin();
      fetchKernel("served");
      register();
      await clock.advance(minute);
    }
    assert.deepEqual(told(), []);
    for (let boot = 0; boot < 9; boot++) {
      begin();
      fetchKernel("served");
      await clock.advance(minute);
    }
    assert.equal(told().length, 1);
    assert.deepEqual(shown(), ["boot loop: 9 boots in 8 min, last got to its kernel"]);
    nodes.forget(mac);
    begin();
    assert.deepEqual(shown(), []);
  });

  it("is no trouble when somebody else only reads its config, while its agent is heard", async () => {
    register();
    for (let each = 0; each < 200; each++) {
      begin();
      nodes.heartbeat({ id: mac, instanceId: "i", address });
      await clock.advance(3000);
    }
    assert.deepEqual(told(), []);
  });
});
