import assert from "node:assert/strict";
import { beforeEach, describe, it } from "node:test";
import type { NodeLogRecord, ReportedRecord } from "../../../../controller/logs/node-log-record.ts";
import { createNodeLogs, type NodeLogSelection, type NodeLogs } from "../../../../controller/logs/node-logs.ts";
import { createNodeRegistry, type NodeRegistry } from "../../../../controller/nodes/node-registry.ts";
import { openStore, type Store } from "../../../../controller/store/open-store.ts";
import type { NodeId } from "../../../../proto/names/node-id.ts";
import { createManualClock, type ManualClock } from "../../proto/time/manual-clock.ts";

const one = "b8:27:eb:00:00:01" as NodeId;
const two = "b8:27:eb:00:00:02" as NodeId;

function aRecord(sequence: number, given: Partial<ReportedRecord> = {}): ReportedRecord {
  return { sequence, nodeTime: 5, ageMs: 0, level: "info", message: `m${sequence}`, ...given };
}

describe("node logs", () => {
  let store: Store;
  let clock: ManualClock;
  let nodes: NodeRegistry;
  let logs: NodeLogs;
  let told: string[];

  const open = (): void => {
    const say = (level: string) => (details: object, message: string) =>
      void told.push(`${level} ${message} ${JSON.stringify(details)}`);
    logs = createNodeLogs({
      rows: store.nodeLogs,
      nodes,
      clock,
      monotonic: clock,
      log: { warn: say("warn"), error: say("error") },
    });
  };
  const register = (id: NodeId, instanceId: string, role: "netboot" | "resident" = "netboot"): void => {
    const root = { source: "/dev/mmcblk0p2", filesystemType: "ext4", disk: "/dev/mmcblk0" };
    const facts = { bootId: "b", serial: "", root, interfaces: [{ name: "eth0", mac: id, addresses: [] }] };
    nodes.register({ id, facts: facts as never, agent: { version: "1", role, instanceId, port: 1 } });
  };
  const report = (id: NodeId, instanceId: string, records: readonly ReportedRecord[], droppedCount = 0): void =>
    logs.report({ id, instanceId, records, droppedCount });
  const read = (selection: NodeLogSelection = {}): NodeLogRecord[] => [...logs.list(selection)];
  const messages = (selection?: NodeLogSelection): string[] => read(selection).map(({ message }) => message);

  beforeEach(() => {
    store = openStore(":memory:");
    clock = createManualClock(1_000_000);
    told = [];
    const events = { append: () => {} };
    nodes = createNodeRegistry({ rows: store.nodes, events, clock, heartbeatIntervalMs: 10_000, log: { error() {} } });
    open();
    register(one, "i");
  });

  it("gives back what was reported, with the time by the controller's clock", () => {
    report(one, "i", [aRecord(1, { ageMs: 400, fields: '{"a":1}', error: "Error: no\n at x" }), aRecord(2)]);
    const common = { nodeId: one, instanceId: "i", role: "netboot", nodeTime: 5, level: "info", missingBefore: 0 };
    assert.deepEqual(read(), [
      { ...common, id: 1, sequence: 1, at: 999_600, message: "m1", fields: '{"a":1}', error: "Error: no\n at x" },
      { ...common, id: 2, sequence: 2, at: 1_000_000, message: "m2" },
    ]);
  });

  const repeated: { title: string; batches: number[][]; kept: number[]; missing: number[]; restart?: true }[] = [
    {
      title: "a batch that comes twice",
      batches: [
        [1, 2],
        [1, 2],
      ],
      kept: [1, 2],
      missing: [0, 0],
    },
    {
      title: "batches that overlap",
      batches: [
        [1, 2],
        [2, 3],
      ],
      kept: [1, 2, 3],
      missing: [0, 0, 0],
    },
    { title: "a batch from before", batches: [[3], [1, 2]], kept: [3], missing: [2] },
    { title: "gaps", batches: [[1, 4], [9]], kept: [1, 4, 9], missing: [0, 2, 4] },
    { title: "an empty batch", batches: [[], [1]], kept: [1], missing: [0] },
    {
      title: "what came before a restart",
      batches: [
        [1, 2],
        [2, 3],
      ],
      kept: [1, 2, 3],
      missing: [0, 0, 0],
      restart: true,
    },
  ];
  for (const { title, batches, kept, missing, restart } of repeated) {
    it(`keeps everything once, and tells what is missing: ${title}`, () => {
      for (const batch of batches) {
        const records = batch.map((sequence) => aRecord(sequence));
        report(one, "i", records);
        if (restart) open();
      }
      assert.deepEqual(
        read().map(({ sequence }) => sequence),
        kept,
      );
      assert.deepEqual(
        read().map(({ missingBefore }) => missingBefore),
        missing,
      );
    });
  }

  it("counts each instance of an agent by itself", () => {
    report(one, "i", [aRecord(1), aRecord(2)]);
    register(one, "j", "resident");
    report(one, "j", [aRecord(1)]);
    assert.deepEqual(
      read().map(({ instanceId, role, sequence }) => [instanceId, role, sequence]),
      [
        ["i", "netboot", 1],
        ["i", "netboot", 2],
        ["j", "resident", 1],
      ],
    );
    assert.throws(() => report(one, "i", [aRecord(3)]), /instance .* is unknown here; register again/);
  });

  it("takes nothing of nodes and instances that have not registered", () => {
    assert.throws(() => report(two, "i", [aRecord(1)]), /unknown here/);
    assert.throws(() => report(one, "other", [aRecord(1)]), /unknown here/);
    assert.deepEqual(read(), []);
  });

  it("forgets the log of a node with the node", () => {
    register(two, "i");
    report(one, "i", [aRecord(1)]);
    report(two, "i", [aRecord(1, { message: "of two" })]);
    nodes.forget(one);
    assert.deepEqual(messages(), ["of two"]);
    register(one, "i");
    report(one, "i", [aRecord(1, { message: "anew" })]);
    assert.deepEqual(messages(), ["of two", "anew"]);
  });

  describe("gives", () => {
    beforeEach(() => {
      register(two, "k");
      const levels = ["trace", "debug", "info", "warn", "error", "fatal"] as const;
      report(
        one,
        "i",
        levels.map((level, index) => aRecord(index + 1, { level, message: level })),
      );
      report(two, "k", [aRecord(1, { level: "warn", message: "of two" })]);
    });
    const table: readonly (readonly [string, NodeLogSelection, readonly string[]])[] = [
      ["one node's", { nodeId: two }, ["of two"]],
      ["what matters so much", { minLevel: "error" }, ["error", "fatal"]],
      ["the last of what matters so much", { minLevel: "warn", limit: 2 }, ["fatal", "of two"]],
      ["the last of one node's", { nodeId: one, limit: 1 }, ["fatal"]],
      ["what comes after an id", { afterId: 5 }, ["fatal", "of two"]],
      ["everything", { minLevel: "trace" }, ["trace", "debug", "info", "warn", "error", "fatal", "of two"]],
    ];
    for (const [title, selection, expected] of table) {
      it(title, () => assert.deepEqual(messages(selection), expected));
    }
  });

  it("follows what comes", async () => {
    report(one, "i", [aRecord(1)]);
    const stop = new AbortController();
    const seen: string[] = [];
    for await (const { message } of logs.follow({ nodeId: one }, stop.signal)) {
      seen.push(message);
      if (message === "m1") setImmediate(() => report(one, "i", [aRecord(2), aRecord(3)]));
      if (message === "m3") stop.abort();
    }
    assert.deepEqual(seen, ["m1", "m2", "m3"]);
  });

  describe("in the controller's own log", () => {
    it("warnings and worse are told with the name of the node", () => {
      nodes.rename(one, "rack-1");
      const levels = ["debug", "info", "warn", "error", "fatal"] as const;
      report(
        one,
        "i",
        levels.map((level, index) => aRecord(index + 1, { level, message: level, error: "E", fields: "{}" })),
      );
      const details = JSON.stringify({ node: "rack-1", fields: "{}", error: "E" });
      assert.deepEqual(told, [
        `warn the agent of rack-1: warn ${details}`,
        `error the agent of rack-1: error ${details}`,
        `error the agent of rack-1: fatal ${details}`,
      ]);
      report(one, "i", [aRecord(3, { level: "warn" })]);
      assert.equal(told.length, 3, "a repetition was told again");
    });

    it("so many of each node in a minute, and then where the rest is", () => {
      const warnings = (from: number, count: number) =>
        Array.from({ length: count }, (_, index) => aRecord(from + index, { level: "warn" }));
      report(one, "i", warnings(1, 100));
      assert.equal(told.length, 21);
      assert.match(told[20] ?? "", /controller node logs \S+ --level warn/);
      register(two, "k");
      report(two, "k", warnings(1, 1));
      assert.equal(told.length, 22);
      clock.advance(60_000);
      report(one, "i", warnings(101, 2));
      assert.equal(told.length, 24);
    });

    it("that an agent could not keep its log, when it drops more", () => {
      report(one, "i", [aRecord(11)], 10);
      report(one, "i", [aRecord(12)], 10);
      report(one, "i", [aRecord(20)], 17);
      assert.deepEqual(
        told.map((line) => /records are lost.*"droppedCount":(\d+)/.exec(line)?.[1]),
        ["10", "17"],
      );
    });
  });

  it("takes of a node what an agent can hold back, then what a node has to say, and of others whatever it takes of it", () => {
    const batch = { records: 1000, characters: 100_000 };
    register(two, "j");
    const taken = (id: NodeId, instanceId: string, cost = batch): number => {
      let count = 0;
      while (logs.admits(id, instanceId, cost)) count += 1;
      return count;
    };
    assert.equal(taken(one, "i"), 6);
    assert.equal(taken(two, "j"), 6);
    assert.equal(logs.admits(one, "i", { records: 0, characters: 0 }), false);
    clock.advance(1000);
    assert.equal(taken(one, "i"), 1, "a batch is taken as soon as something is left");
    clock.advance(3_600_000);
    assert.equal(taken(one, "i", { records: 1, characters: 1_048_576 }), 3);
    assert.deepEqual(
      told.filter((line) => line.includes("logs more than a node may")).map((line) => line.split(" (")[0]),
      ["one", "two", "one"].map(
        (name) => `warn the agent of ${nodes.require(name === "one" ? one : two).name} logs more than a node may`,
      ),
    );
    assert.throws(() => logs.admits(one, "the-one-before", batch), { kind: "not-found" });
  });
});
