import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import {
  mostStarts,
  nextTask,
  resumeTasks,
  taskEnded,
  taskStarted,
} from "../../../../../proto/system/tasks/plan-tasks.ts";
import type { TasksFile } from "../../../../../proto/system/tasks/render-tasks.ts";
import {
  parseTasksState,
  renderTasksState,
  type TaskResult,
  type TasksState,
} from "../../../../../proto/system/tasks/tasks-state.ts";

const configDigest = "ab".repeat(32);
const file: TasksFile = {
  configDigest,
  tasks: ["one", "two", "three"].map((name) => ({ name, run: { kind: "command", words: ["true"] }, timeoutMs: 1 })),
};

type Short = readonly [state: TaskResult["state"], starts: number];
const stateOf = (...tasks: readonly Short[]): TasksState => ({
  configDigest,
  tasks: tasks.map(([state, starts], at) => ({ name: file.tasks[at]?.name ?? "", state, starts })),
});
const shortOf = (state: TasksState): readonly Short[] => state.tasks.map(({ state: is, starts }) => [is, starts]);
const at = Date.UTC(2026, 10, 30);

describe("what runs of a node's tasks", () => {
  const waiting: Short = ["waiting", 0];
  for (const [title, kept, retries, then, next] of [
    ["all from the first on, at the first start", undefined, false, [waiting, waiting, waiting], "one"],
    [
      "none that has succeeded",
      stateOf(["succeeded", 1], waiting, waiting),
      false,
      [["succeeded", 1], waiting, waiting],
      "two",
    ],
    [
      "the one that power has gone from, and its starts count on",
      stateOf(["succeeded", 1], ["running", 1], waiting),
      false,
      [["succeeded", 1], ["waiting", 1], waiting],
      "two",
    ],
    [
      "not one that was started so often without an end",
      stateOf(["running", mostStarts], waiting, waiting),
      false,
      [["failed", mostStarts], waiting, waiting],
      undefined,
    ],
    [
      "none behind one that has failed",
      stateOf(["failed", 1], waiting, waiting),
      false,
      [["failed", 1], waiting, waiting],
      undefined,
    ],
    [
      "what has failed, when that is asked for, and with all its starts",
      stateOf(["succeeded", 1], ["failed", 3], waiting),
      true,
      [["succeeded", 1], waiting, waiting],
      "two",
    ],
    [
      "nothing once all have succeeded",
      stateOf(["succeeded", 1], ["succeeded", 2], ["succeeded", 1]),
      true,
      [
        ["succeeded", 1],
        ["succeeded", 2],
        ["succeeded", 1],
      ],
      undefined,
    ],
    [
      "all, where what is kept is of another config",
      { ...stateOf(["succeeded", 1], ["failed", 1], waiting), configDigest: "cd".repeat(32) },
      false,
      [waiting, waiting, waiting],
      "one",
    ],
    [
      "what is kept of no task that there is is dropped",
      { configDigest, tasks: [{ name: "old", state: "failed", starts: 1 }] },
      false,
      [waiting, waiting, waiting],
      "one",
    ],
  ] as const satisfies readonly (readonly [
    string,
    TasksState | undefined,
    boolean,
    readonly Short[],
    string | undefined,
  ])[]) {
    it(title, () => {
      const state = resumeTasks(file, kept, retries);
      assert.deepEqual(shortOf(state), then);
      assert.equal(nextTask(file, state)?.name, next);
    });
  }

  it("is written down before and after", () => {
    const started = taskStarted(resumeTasks(file, undefined, false), "one", at);
    assert.deepEqual(started.tasks[0], {
      ...{ name: "one", state: "running", starts: 1, startedAt: "2026-11-30T00:00:00.000Z" },
    });
    assert.equal(nextTask(file, started), undefined);
    const ended = taskEnded(started, "one", { exitCode: 0, output: "noise" }, at + 1000);
    assert.deepEqual(ended.tasks[0], {
      ...{ name: "one", state: "succeeded", starts: 1, exitCode: 0 },
      ...{ startedAt: "2026-11-30T00:00:00.000Z", endedAt: "2026-11-30T00:00:01.000Z" },
    });
    const failed = taskEnded(started, "one", { exitCode: 3, problem: "exit code 3", output: "x".repeat(9000) }, at);
    assert.equal(failed.tasks[0]?.state, "failed");
    assert.equal(failed.tasks[0]?.output?.length, 2048);
    assert.deepEqual(parseTasksState(renderTasksState(failed)), failed);
  });

  it("ends, whenever power goes: each task that has succeeded ran to its end exactly once", () => {
    // Each number is the step at which power goes: before a start, while the task runs, or after its end.
    fc.assert(
      fc.property(fc.array(fc.constantFrom("start", "end", "no"), { maxLength: 40 }), (cuts) => {
        let kept: TasksState | undefined;
        const ends: string[] = [];
        const starts: string[] = [];
        const left = [...cuts];
        for (let boots = 0; ; boots++) {
          assert.ok(boots < 60, "it never ends");
          let state = resumeTasks(file, kept, false);
          let isOn = true;
          for (let task = nextTask(file, state); task !== undefined && isOn; task = nextTask(file, state)) {
            state = taskStarted(state, task.name, at);
            kept = state;
            starts.push(task.name);
            const cut = left.shift();
            if (cut === "start") isOn = false;
            else {
              state = taskEnded(state, task.name, { exitCode: 0 }, at);
              kept = state;
              ends.push(task.name);
              isOn = cut !== "end";
            }
          }
          if (isOn) {
            const all = state.tasks.every((each) => each.state === "succeeded");
            const failed = state.tasks.find((each) => each.state === "failed");
            assert.ok(all || failed !== undefined);
            assert.equal(new Set(ends).size, ends.length);
            assert.deepEqual(ends, file.tasks.map(({ name }) => name).slice(0, ends.length));
            for (const { name } of file.tasks)
              assert.ok(starts.filter((each) => each === name).length <= mostStarts, name);
            return;
          }
        }
      }),
    );
  });

  for (const content of [
    "",
    "{}",
    "null",
    '{"configDigest":"x","tasks":[]}',
    renderTasksState(stateOf(["running", -1])),
  ]) {
    it(`refuses what is kept if it is broken: ${content.slice(0, 20)}`, () => {
      assert.throws(() => parseTasksState(content), { name: "Failure", reason: "invalid" });
    });
  }
});
