import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { chooseHookMoments } from "../../../../../controller/reimage/executors/choose-hook-moments.ts";
import type { Configuration, Phase } from "../../../../../controller/reimage/machine/reimage-state.ts";

const report = { tasks: [] } as unknown as Configuration["report"];
const failure = { reason: "tool-failed", message: "pi-1 is proved, but its task join failed" } as const;

function proved(configuration?: Partial<Configuration>, late = false): Phase {
  return {
    ...{ name: "proved", endedAt: 1000, proof: {} },
    ...(late && { late: true }),
    ...(configuration && { configuration: { state: "running", report, deadlineAt: 9000, ...configuration } }),
  } as unknown as Phase;
}

function unproved(name: "failed" | "cancelled"): Phase {
  return { name, endedAt: 1000, failure, verdict: "untouched" } as unknown as Phase;
}

describe("the moments that follow on", () => {
  const rows: readonly (readonly [string, "end" | "tasks", Phase, readonly string[]])[] = [
    ["a proof without tasks", "end", proved(), ["after-proved at 1000", "after-configured at 1000"]],
    ["a proof before its tasks", "end", proved({}), ["after-proved at 1000"]],
    [
      "a proof whose tasks have ended already",
      "end",
      proved({ state: "configured", endedAt: 1000 }),
      ["after-proved at 1000"],
    ],
    [
      "tasks that have succeeded",
      "tasks",
      proved({ state: "configured", endedAt: 2000 }),
      ["after-configured at 2000"],
    ],
    ["tasks that have failed", "tasks", proved({ state: "failed", endedAt: 2000, failure }), ["after-failed at 2000"]],
    [
      "tasks that nobody waits for",
      "tasks",
      proved({ state: "cancelled", endedAt: 2000, failure }),
      ["after-failed at 2000"],
    ],
    ["tasks that go on", "tasks", proved({}), []],
    ["a failure", "end", unproved("failed"), ["after-failed at 1000"]],
    ["a cancellation", "end", unproved("cancelled"), ["after-failed at 1000"]],
    ["no end", "end", { name: "queued" }, []],
  ];
  for (const [title, of, phase, expected] of rows)
    it(title, () => {
      assert.deepEqual(
        chooseHookMoments(of, phase).map(({ when, at }) => `${when} at ${at}`),
        expected,
      );
    });

  it("say why tasks have failed, of a node that is proved all the same", () => {
    const [moment] = chooseHookMoments("tasks", proved({ state: "failed", endedAt: 2000, failure }, true));
    assert.deepEqual(moment?.end, { phase: "proved", verdict: "proved-late", failure });
  });
});
