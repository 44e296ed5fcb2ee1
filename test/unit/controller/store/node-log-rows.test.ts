import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { DatabaseSync } from "node:sqlite";
import { describe, it } from "node:test";
import type { NodeLogRecord } from "../../../../controller/logs/node-log-record.ts";
import { createNodeLogRows, type NodeLogLimits } from "../../../../controller/store/node-log-rows.ts";
import { openStore } from "../../../../controller/store/open-store.ts";
import { migrate } from "../../../../controller/store/schema.ts";
import type { NodeId } from "../../../../proto/names/node-id.ts";

const one = "b8:27:eb:00:00:01" as NodeId;
const two = "b8:27:eb:00:00:02" as NodeId;

function aRow(sequence: number, given: Partial<NodeLogRecord> = {}): Omit<NodeLogRecord, "id"> {
  const common = { nodeId: one, instanceId: "i", role: "netboot", at: 1, nodeTime: 2, level: "info" } as const;
  return { ...common, message: `m${sequence}`, sequence, missingBefore: 0, ...given };
}

const rowsOf = (from: number, count: number, given: Partial<NodeLogRecord> = {}) =>
  Array.from({ length: count }, (_, index) => aRow(from + index, given));

function rowsWith(limits: Partial<NodeLogLimits>, database = new DatabaseSync(":memory:")) {
  migrate(database);
  const rows = createNodeLogRows(database, { recordsPerNode: 1e6, bytesPerNode: 1e9, bytes: 1e9, ...limits });
  const all = (given = {}) => rows.read({ afterId: 0, count: 1e6, prefer: "oldest", ...given });
  const sequences = (nodeId: NodeId) => all({ nodeId }).map(({ sequence }) => sequence);
  return { rows, all, sequences, database };
}

describe("rows of the nodes' logs", () => {
  it("are there after a restart, also their ids and sequence numbers", () => {
    const folder = mkdtempSync(path.join(tmpdir(), "pallet-logs-"));
    try {
      const file = path.join(folder, "pallet.sqlite");
      const first = openStore(file);
      const record = aRow(7, { role: "resident", level: "fatal", fields: '{"a":1}', error: "E", missingBefore: 6 });
      first.nodeLogs.add([record, aRow(8)]);
      first.close();
      const second = openStore(file);
      const [kept] = second.nodeLogs.read({ afterId: 0, count: 1, prefer: "oldest" });
      assert.deepEqual(kept, { id: 1, ...record });
      assert.equal(second.nodeLogs.lastSequence(one, "i"), 8);
      assert.equal(second.nodeLogs.lastSequence(one, "j"), 0);
      second.nodeLogs.removeNode(one);
      assert.equal(second.nodeLogs.lastId(), 2);
      second.nodeLogs.add([aRow(9)]);
      assert.equal(second.nodeLogs.lastId(), 3);
      second.close();
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it("of a node are the newest, within a tenth", () => {
    const { rows, sequences } = rowsWith({ recordsPerNode: 20 });
    rows.add(rowsOf(1, 3, { nodeId: two }));
    for (let from = 1; from <= 100; from += 5) {
      rows.add(rowsOf(from, 5));
      assert.ok(sequences(one).length <= 22);
    }
    assert.deepEqual(
      sequences(one).slice(-20),
      Array.from({ length: 20 }, (_, index) => 81 + index),
    );
    assert.deepEqual(sequences(two), [1, 2, 3]);
  });

  it("of a node take no more than they may, within a tenth", () => {
    const { rows, sequences } = rowsWith({ bytesPerNode: 10_000 });
    rows.add(rowsOf(1, 30, { message: "x".repeat(1000), error: "y".repeat(500) }));
    assert.deepEqual(sequences(one), [25, 26, 27, 28, 29, 30]);
    rows.add([aRow(31, { message: "x".repeat(8_000) })]);
    assert.deepEqual(sequences(one), [30, 31]);
  });

  it("of all nodes together take no more than they may: who floods loses his own, and nobody else's", () => {
    const { rows, sequences, all } = rowsWith({ bytes: 100_000 });
    rows.add(rowsOf(1, 40, { message: "x".repeat(1000) }));
    for (let from = 1; from <= 1000; from += 10) {
      rows.add(rowsOf(from, 10, { nodeId: two, message: "x".repeat(1000) }));
      assert.ok(all().length <= 100, `${all().length}`);
    }
    assert.deepEqual([sequences(one).length, sequences(two).at(-1)], [40, 1000]);
  });

  it("of a node are its warnings too, however much else it has logged since", () => {
    const { rows, sequences } = rowsWith({ recordsPerNode: 20, bytes: 100_000 });
    rows.add(rowsOf(1, 8, { level: "warn" }));
    for (let from = 9; from <= 500; from += 4) rows.add(rowsOf(from, 4));
    const kept = sequences(one);
    assert.deepEqual(kept.slice(0, 8), [1, 2, 3, 4, 5, 6, 7, 8]);
    assert.ok(kept.length <= 22 && kept.at(-1) === 500, `${kept}`);
    for (let from = 501; from <= 900; from += 4) rows.add(rowsOf(from, 4, { level: "error" }));
    const after = sequences(one);
    assert.ok(after.filter((sequence) => sequence <= 500).length >= 10, `${after}`);
    assert.ok(after.length <= 22 && after.at(-1) === 900, `${after}`);
  });

  it("stay bounded over restarts", () => {
    const { rows, database } = rowsWith({ recordsPerNode: 20 });
    rows.add(rowsOf(1, 20));
    const again = rowsWith({ recordsPerNode: 20 }, database);
    again.rows.add(rowsOf(21, 5));
    assert.equal(again.sequences(one).length, 20);
  });

  it("are added all or none, and what failed does not count", () => {
    const { rows, all, sequences } = rowsWith({ recordsPerNode: 20 });
    assert.throws(() => rows.add([...rowsOf(1, 20), aRow(21, { message: undefined as never })]));
    assert.deepEqual(all(), []);
    rows.add(rowsOf(1, 10));
    assert.equal(sequences(one).length, 10);
  });
});
