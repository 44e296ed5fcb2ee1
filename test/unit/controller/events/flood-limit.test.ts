import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { NewEvent } from "../../../../controller/events/event.ts";
import { createEventLog } from "../../../../controller/events/event-log.ts";
import { createFloodLimit } from "../../../../controller/events/flood-limit.ts";
import { openStore } from "../../../../controller/store/open-store.ts";
import type { NodeId } from "../../../../proto/names/node-id.ts";

const nodeId = "b8:27:eb:00:00:01" as NodeId;
const step: NewEvent = { type: "boot-config-rendered", severity: "info", message: "m", nodeId };

describe("a flood of events", () => {
  it("is held back about the one node, and told once it ebbs", () => {
    const limit = createFloodLimit();
    const admitted = Array.from({ length: 1000 }, (_, ms) => limit.admit(step, ms)).filter(Boolean);
    assert.equal(admitted.length, 60);
    assert.deepEqual(limit.admit({ ...step, nodeId: "b8:27:eb:00:00:02" as NodeId }, 1000)?.message, "m");
    assert.deepEqual(limit.admit({ ...step, type: "boot-file-fetched" }, 1000)?.message, "m");
    assert.match(limit.admit(step, 60_000)?.message ?? "", /^m \(940 more of this kind before it were not kept\)$/);
    assert.equal(limit.admit(step, 60_000)?.message, "m");
  });

  it("never holds back what operators and rollouts did", () => {
    const limit = createFloodLimit();
    for (const type of ["reimage-failed", "rollout-ended", "reimage-phase-changed", "boot-target-changed"] as const)
      for (let each = 0; each < 10_000; each++) assert.ok(limit.admit({ ...step, type }, 0));
  });

  it("of one stranger takes no place from another one", () => {
    const limit = createFloodLimit();
    const refused: NewEvent = { type: "registration-refused", severity: "warning", message: "m" };
    const admitted = Array.from({ length: 100_000 }, (_, ms) => limit.admit(refused, ms, "10.0.0.66")).filter(Boolean);
    assert.equal(admitted.length, 209);
    assert.ok(limit.admit(refused, 100_000, "10.0.0.7"));
  });

  it("about ever new nodes is held back, and no warning with it", () => {
    const limit = createFloodLimit();
    const sign: NewEvent = { type: "node-discovered", severity: "info", message: "m" };
    const macOf = (each: number) => `02:00:00:00:${(each >> 8).toString(16)}:${(each & 255).toString(16)}` as NodeId;
    let admitted = 0;
    for (let each = 0; each < 60_000; each++) if (limit.admit({ ...sign, nodeId: macOf(each) }, 0)) admitted += 1;
    assert.equal(admitted, 20_000);
    assert.ok(limit.admit({ ...sign, type: "mac-claimed-twice", severity: "error", nodeId }, 0));
    assert.ok(limit.admit({ ...sign, nodeId }, 10));
  });

  it("is not stopped or let in by a clock that jumps", () => {
    const limit = createFloodLimit();
    for (let each = 0; each < 60; each++) assert.ok(limit.admit(step, 1_000_000));
    assert.equal(limit.admit(step, 1000), undefined);
    assert.ok(limit.admit(step, 21_000));
  });

  it("of a million does not push out one verdict, nor what another node said", { timeout: 120_000 }, () => {
    const store = openStore(":memory:");
    let now = 0;
    const log = createEventLog({ rows: store.events, clock: { now: () => now }, keepAtMost: 2000 });
    log.append({ type: "reimage-failed", severity: "error", message: "verdict", nodeId, rolloutId: "r" });
    log.append({ type: "rollout-ended", severity: "info", message: "end", rolloutId: "r" });
    log.append({ type: "node-registered", severity: "info", message: "sign", nodeId });
    const types = ["boot-file-missing", "boot-file-refused", "boot-file-fetched", "node-registered"] as const;
    for (let each = 0; each < 1_000_000; each++) {
      now += 7;
      const stranger = `02:00:00:00:00:${(each % 256).toString(16).padStart(2, "0")}` as NodeId;
      const type = types[each % 4] ?? "boot-file-missing";
      log.append({ type, severity: "error", message: "flood", ...(each % 3 === 0 && { nodeId: stranger }) });
    }
    const all = [...log.list()];
    assert.ok(all.length <= 2000 + 200 + 4 * 257, `${all.length} events`);
    assert.deepEqual(
      [...log.list({ nodeId })].map(({ message }) => message),
      ["verdict", "sign"],
    );
    assert.deepEqual(
      [...log.list({ rolloutId: "r" })].map(({ message }) => message),
      ["verdict", "end"],
    );
    // Ids rise with gaps, and a page ends where it should.
    assert.deepEqual(
      [...log.list({ limit: 3 })].map(({ id }) => id),
      all.slice(-3).map(({ id }) => id),
    );
    assert.deepEqual(
      all.map(({ id }) => id),
      all.map(({ id }) => id).toSorted((one, other) => one - other),
    );
    store.close();
  });
});
