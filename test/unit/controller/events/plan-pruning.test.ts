import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { laneOf } from "../../../../controller/events/event-lane.ts";
import { type EventTally, fairShare, planPruning } from "../../../../controller/events/plan-pruning.ts";
import type { NodeId } from "../../../../proto/names/node-id.ts";

const node = (number: number): NodeId => `02:00:00:00:00:${number.toString(16).padStart(2, "0")}` as NodeId;

const types = [
  ...["reimage-failed", "rollout-ended", "reimage-phase-changed", "boot-file-missing"],
  ...["node-registered", "mac-claimed-twice", "agent-outdated"],
];
const tallies = fc.uniqueArray(
  fc.record({
    type: fc.constantFrom(...types),
    nodeId: fc.option(fc.integer({ min: 1, max: 5 }).map(node), { nil: undefined }),
    count: fc.oneof(fc.integer({ min: 1, max: 50 }), fc.integer({ min: 1, max: 1_000_000 })),
  }),
  { selector: ({ type, nodeId }) => `${type} ${nodeId}`, maxLength: 20 },
) as fc.Arbitrary<readonly EventTally[]>;

/** What stays of each lane's events about each node. */
function kept(all: readonly EventTally[], keepAtMost: number): Map<string, { before: number; after: number }> {
  const found = new Map<string, { before: number; after: number }>();
  const add = (lane: string, nodeId: NodeId | undefined, change: { before: number; after: number }): void => {
    const key = `${lane} ${nodeId}`;
    const { before, after } = found.get(key) ?? { before: 0, after: 0 };
    found.set(key, { before: before + change.before, after: after + change.after });
  };
  for (const { type, nodeId, count } of all) add(laneOf(type), nodeId, { before: count, after: count });
  for (const { types, nodeId, keep } of planPruning(all, keepAtMost)) {
    const cut = all.filter((each) => each.nodeId === nodeId && types.includes(each.type));
    const count = sum(cut.map((each) => each.count));
    assert.ok(keep < count, "a cut cuts");
    add(laneOf(types[0] ?? ""), nodeId, { before: 0, after: keep - count });
  }
  return found;
}

const sum = (numbers: Iterable<number>): number => [...numbers].reduce((total, each) => total + each, 0);

describe("what is removed from the event log", () => {
  it("leaves about as many as asked: at most one more for each node and lane", () =>
    fc.assert(
      fc.property(tallies, fc.integer({ min: 0, max: 100_000 }), (all, keepAtMost) => {
        const shares = [...kept(all, keepAtMost).values()];
        const before = sum(shares.map((each) => each.before));
        const after = sum(shares.map((each) => each.after));
        if (before <= keepAtMost) assert.equal(after, before);
        assert.ok(after <= keepAtMost + shares.length);
        assert.ok(shares.every((each) => each.after >= 1));
      }),
    ));

  it("is nothing of a lane below its quarter, nor of a node below its share of the lane, whatever the others do", () =>
    fc.assert(
      fc.property(tallies, fc.integer({ min: 1000, max: 100_000 }), (all, keepAtMost) => {
        const found = [...kept(all, keepAtMost)];
        for (const lane of new Set(all.map(({ type }) => laneOf(type)))) {
          const owners = found.filter(([key]) => key.startsWith(`${lane} `)).map(([, each]) => each);
          const before = sum(owners.map((each) => each.before));
          for (const each of owners) {
            if (before <= keepAtMost / 4) assert.equal(each.after, each.before);
            if (each.before <= Math.floor(keepAtMost / 4 / owners.length)) assert.equal(each.after, each.before);
          }
        }
      }),
    ));

  it("is the flood, and not the verdicts that were there before it", () => {
    const verdicts: EventTally[] = [
      { type: "reimage-failed", nodeId: node(1), count: 40 },
      { type: "rollout-ended", count: 20 },
    ];
    const flood: EventTally = { type: "boot-file-missing", count: 1_000_000 };
    assert.deepEqual(planPruning([...verdicts, flood], 100_000), [{ types: ["boot-file-missing"], keep: 99_940 }]);
  });

  it("is of a node what it floods with, and not its own warning", () => {
    const own: EventTally = { type: "mac-claimed-twice", nodeId: node(1), count: 3 };
    const flood: EventTally = { type: "node-registered", nodeId: node(1), count: 1_000_000 };
    assert.deepEqual(planPruning([own, flood], 100_000), [
      { types: ["node-registered"], nodeId: node(1), keep: 99_997 },
    ]);
  });

  it("leaves the newest of a node that may not have one of each type", () => {
    const types = ["node-registered", "mac-claimed-twice", "agent-outdated"];
    const all = types.map((type) => ({ type, nodeId: node(1), count: 10 }));
    assert.deepEqual(planPruning(all, 2), [{ types, nodeId: node(1), keep: 2 }]);
  });

  for (const [wants, total, share] of [
    [[], 10, Number.POSITIVE_INFINITY],
    [[3, 3, 3], 9, Number.POSITIVE_INFINITY],
    [[3, 3, 3], 8, 2],
    [[1, 100], 10, 9],
    [[1, 2, 100, 100], 23, 10],
    [[100], 0, 0],
  ] as const)
    it(`shares ${total} fairly among ${wants.join(", ") || "nobody"}`, () =>
      assert.equal(fairShare(wants, total), share));
});
