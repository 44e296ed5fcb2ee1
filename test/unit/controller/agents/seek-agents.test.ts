import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, it } from "node:test";
import { AgentError } from "../../../../controller/agents/agent-error.ts";
import type { AgentPort } from "../../../../controller/agents/agent-port.ts";
import { seekAgents } from "../../../../controller/agents/seek-agents.ts";
import type { Node } from "../../../../controller/nodes/node.ts";
import type { NodeChangeListener } from "../../../../controller/nodes/node-change.ts";
import { Failure } from "../../../../proto/failure.ts";
import { type AgentIds, areSameAgent } from "../../../../proto/grpc/agent-ids.ts";
import type { NodeId } from "../../../../proto/names/node-id.ts";
import { createManualClock, type ManualClock } from "../../proto/time/manual-clock.ts";

const heartbeatIntervalMs = 10_000;
const controllers = [{ host: "10.0.0.250", port: 7700 }];
const idsOf = (number: number): AgentIds => ({ bootId: `boot-${number}`, instanceId: `run-${number}` });

function nodeOf(number: number): Node {
  const { bootId, instanceId } = idsOf(number);
  return {
    id: `02:00:00:00:00:0${number}` as NodeId,
    name: `pi-${number}`,
    address: `10.0.0.${number}`,
    facts: { bootId },
    agent: { instanceId, port: 7710, role: "netboot", version: "1" },
  } as unknown as Node;
}

describe("agents that were known before the start", () => {
  let clock: ManualClock;
  let known: Node[];
  let listeners: Set<NodeChangeListener>;
  let told: string[];
  let asked: string[];
  let registered: string[];
  let awaited: Set<NodeId>;
  /** Who answers at which address: only after it was told where the controller is. */
  let there: Map<string, AgentIds>;
  let stop = (): void => undefined;

  beforeEach(() => {
    clock = createManualClock();
    known = [nodeOf(1), nodeOf(2)];
    listeners = new Set();
    told = [];
    asked = [];
    registered = [];
    awaited = new Set();
    there = new Map([
      ["10.0.0.1", idsOf(1)],
      ["10.0.0.2", idsOf(2)],
    ]);
  });
  afterEach(() => stop());

  const report = (number: number): void => {
    const node = known[number - 1] ?? assert.fail();
    for (const listener of [...listeners]) listener({ node, cause: "heartbeat" });
  };

  function start(): void {
    stop = seekAgents({
      nodes: {
        list: () => known,
        get: (id) => known.find((node) => node.id === id),
        onChange(listener) {
          listeners.add(listener);
          return () => listeners.delete(listener);
        },
        register({ id, address, agent }) {
          registered.push(`${id} ${agent.instanceId} at ${address}`);
          const node = known.find((each) => each.id === id) ?? assert.fail();
          for (const listener of [...listeners]) listener({ node, cause: "registered" });
          return node;
        },
      },
      agents: {
        connect({ address }, expected = {}) {
          return {
            async getNode() {
              asked.push(address);
              const answering = there.get(address);
              const isTold = told.some((each) => each.startsWith(`${address}:`));
              if (answering === undefined || !isTold || !areSameAgent(answering, expected))
                throw new AgentError("unreachable", new Failure("node-silent", "nobody"), undefined);
              const { instanceId, bootId } = answering;
              return { facts: { bootId }, agent: { instanceId, port: 7710, role: "netboot", version: "1" } };
            },
            close: () => undefined,
          } as unknown as AgentPort;
        },
      },
      announce({ address, port }, { ids, controllers: where }) {
        told.push(`${address}:${port} ${ids.bootId} ${ids.instanceId} ${where.map(({ host }) => host).join()}`);
      },
      controllers: () => controllers,
      isAwaited: (id) => awaited.has(id),
      heartbeatIntervalMs,
      clock,
      log: { warn: (details) => assert.fail(JSON.stringify(details)) },
    });
  }

  it("are left alone when they report by themselves", async () => {
    start();
    report(1);
    report(2);
    await clock.advanceSettling(3_600_000);
    assert.deepEqual([told, asked, registered], [[], [], []]);
    assert.equal(clock.timers(), 0);
  });

  it("are told where the controller is and asked, as exactly that boot and run; the answer is a registration", async () => {
    start();
    report(2);
    await clock.advanceSettling(16_000);
    assert.deepEqual(told, ["10.0.0.1:7710 boot-1 run-1 10.0.0.250"]);
    assert.deepEqual(registered, ["02:00:00:00:00:01 run-1 at 10.0.0.1"]);
  });

  it("are sought at once where a rollout waits for them", async () => {
    awaited.add(nodeOf(2).id);
    start();
    await clock.advanceSettling(500);
    assert.deepEqual(registered, ["02:00:00:00:00:02 run-2 at 10.0.0.2"]);
  });

  it("are sought until they report by themselves, more and more rarely", async () => {
    known = [nodeOf(1)];
    start();
    await clock.advanceSettling(60_000);
    const first = registered.length;
    assert.ok(first >= 2, String(first));
    report(1);
    await clock.advanceSettling(3_600_000);
    assert.equal(registered.length, first);
  });

  for (const [what, ids] of [
    ["another boot", { bootId: "boot-9", instanceId: "run-1" }],
    ["another run", { bootId: "boot-1", instanceId: "run-9" }],
  ] as const)
    it(`do not answer by ${what} at their address`, async () => {
      known = [nodeOf(1)];
      there = new Map([["10.0.0.1", ids]]);
      start();
      await clock.advanceSettling(60_000);
      assert.ok(asked.length > 0);
      assert.deepEqual(registered, []);
    });

  it("are given up after half an hour, but not where a rollout waits for them", async () => {
    there.clear();
    awaited.add(nodeOf(2).id);
    start();
    await clock.advanceSettling(3_600_000);
    const before = told.filter((each) => each.startsWith("10.0.0.1:")).length;
    const awaitedBefore = told.length - before;
    await clock.advanceSettling(3_600_000);
    assert.equal(told.filter((each) => each.startsWith("10.0.0.1:")).length, before);
    assert.ok(told.length - before > awaitedBefore);
  });

  it("without an address, or before their first registration, are none", async () => {
    const { address: _, ...nowhere } = nodeOf(1);
    const { agent: _agent, ...unregistered } = nodeOf(2);
    known = [nowhere as Node, unregistered as Node];
    start();
    await clock.advanceSettling(60_000);
    assert.deepEqual(told, []);
  });
});
