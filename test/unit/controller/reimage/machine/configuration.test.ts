import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { isOpen } from "../../../../../controller/reimage/machine/afterwards.ts";
import { isConfiguring } from "../../../../../controller/reimage/machine/configuration.ts";
import type { ReimageEvent, Sighting } from "../../../../../controller/reimage/machine/reimage-event.ts";
import { isSettled, type PhaseOf, type ReimageState } from "../../../../../controller/reimage/machine/reimage-state.ts";
import { defaultReimageSettings as settings } from "../../../../../controller/reimage/machine/settings.ts";
import { transition } from "../../../../../controller/reimage/machine/transition.ts";
import { viewRollout } from "../../../../../controller/reimage/rollout-view.ts";
import type { TasksReport } from "../../../../../proto/system/tasks/report-tasks.ts";
import type { TaskState } from "../../../../../proto/words/task-state.ts";
import { proof, startedAt, stateIn } from "../fakes/sample-states.ts";

const configDigest = "ab".repeat(32);
const names = ["update", "join"] as const;

function reportOf(...states: readonly TaskState[]): TasksReport {
  return {
    configDigest,
    tasks: states.map((state, at) => ({
      ...{ name: names[at] ?? "", state, starts: state === "waiting" ? 0 : 1 },
      ...(state === "failed" && { problem: "exit code 7", exitCode: 7, output: "one\nno cluster" }),
    })),
  };
}

const now = startedAt + 1000;
const sighted = (report: TasksReport | undefined, more: Partial<Sighting> = {}): ReimageEvent => ({
  type: "agent-sighted",
  ...proof,
  ...(report && { tasks: report }),
  ...more,
});
const step = (state: ReimageState, event: ReimageEvent, at = now) => transition(state, event, at, settings);
const answer = (state: ReimageState, type: "deadline-passed"): ReimageEvent => ({ type, step: state.step });

/** A node that has just proved itself with these tasks. */
function provedWith(report: TasksReport | undefined): ReimageState {
  const { state } = step(stateIn("proving"), sighted(report));
  assert.equal(state.phase.name, "proved");
  return state;
}

function configurationOf({ phase }: ReimageState): PhaseOf<"proved">["configuration"] {
  assert.equal(phase.name, "proved");
  return phase.name === "proved" ? phase.configuration : undefined;
}

describe("the tasks of a proved node", () => {
  it("are none where its system reports none: then it is proved, and that is all", () => {
    const state = provedWith(undefined);
    assert.equal(configurationOf(state), undefined);
    assert.equal(isConfiguring(state.phase), false);
    assert.equal(configurationOf(step(state, sighted(reportOf("failed", "waiting"))).state), undefined);
  });

  for (const [title, report, state] of [
    ["wait", reportOf("waiting", "waiting"), "running"],
    ["run", reportOf("succeeded", "running"), "running"],
    ["have succeeded", reportOf("succeeded", "succeeded"), "configured"],
    ["are none of a file that has none", reportOf(), "configured"],
    ["have failed", reportOf("failed", "waiting"), "failed"],
    ["cannot run", { ...reportOf("waiting"), problem: "the tasks of this system are broken" }, "failed"],
  ] as const) {
    it(`that ${title} when it proves itself make it ${state}`, () => {
      const proved = step(stateIn("proving"), sighted(report));
      assert.equal(configurationOf(proved.state)?.state, state);
      assert.equal(proved.effects.at(-1)?.type, "settle");
      assert.ok(proved.effects.some(({ type }) => type === "record-proof"));
    });

    it(`that ${title} later make it ${state}, and leave the proof alone`, () => {
      const before = provedWith(reportOf("running", "waiting"));
      const after = step(before, sighted(report));
      assert.equal(configurationOf(after.state)?.state, state);
      const [was, is] = [before.phase, after.state.phase] as [PhaseOf<"proved">, PhaseOf<"proved">];
      assert.deepEqual(
        { ...is, configuration: undefined },
        { ...was, configuration: undefined },
        "only its configuration has changed",
      );
      assert.equal(after.state.step, before.step);
      assert.ok(
        after.effects.every(({ type }) => ["record-event", "queue-hooks", "settle", "arm-timer"].includes(type)),
      );
    });
  }

  it("that fail are told with their last lines, and with the command that tries them again", () => {
    const { state, effects } = step(provedWith(reportOf("running", "waiting")), sighted(reportOf("failed", "waiting")));
    const failure = configurationOf(state)?.failure;
    assert.match(
      failure?.message ?? "",
      /pi-1 is proved, but its task update failed: exit code 7; .*controller tasks retry pi-1/,
    );
    assert.equal(failure?.found, "one\nno cluster");
    assert.deepEqual(
      effects.map((effect) => (effect.type === "record-event" ? [effect.event, effect.severity] : effect)),
      [["reimage-unconfigured", "error"], { type: "queue-hooks", of: "tasks" }, { type: "settle", of: "tasks" }],
    );
  });

  it("of another reimage's system, or of an agent in RAM, say nothing", () => {
    const state = provedWith(reportOf("running", "waiting"));
    const done = reportOf("succeeded", "succeeded");
    const { installed } = proof;
    for (const more of [
      { installed: installed && { ...installed, reimageId: "another" } },
      { role: "netboot" },
    ] as readonly Partial<Sighting>[])
      assert.equal(configurationOf(step(state, sighted(done, more)).state)?.state, "running");
  });

  it("are given up without news in time, news starting the time over, and a clock set back not ending it", () => {
    const proved = provedWith(reportOf("running", "waiting"));
    const gone = now + settings.configureTimeoutMs;
    const early = step(proved, answer(proved, "deadline-passed"), gone - 1);
    assert.equal(configurationOf(early.state)?.state, "running");
    assert.ok(early.effects.some((effect) => effect.type === "arm-timer" && effect.timer === "deadline"));

    const news = step(proved, sighted(reportOf("succeeded", "running")), now + 60_000).state;
    assert.equal(configurationOf(step(news, answer(news, "deadline-passed"), gone).state)?.state, "running");
    const same = step(news, sighted(reportOf("succeeded", "running")), now + 90_000).state;
    assert.equal(configurationOf(same)?.deadlineAt, now + 60_000 + settings.configureTimeoutMs);

    const late = step(proved, answer(proved, "deadline-passed"), gone).state;
    assert.equal(configurationOf(late)?.state, "failed");
    assert.match(configurationOf(late)?.failure?.message ?? "", /configureTimeoutMs.*last seen: task update running/);
  });

  it("are waited for again, for all the time, after the controller was away", () => {
    const { state } = step(provedWith(reportOf("running")), { type: "settled", of: "end", step: 5 });
    const { state: resumed, effects } = step(state, { type: "resumed" }, now + 10 * settings.configureTimeoutMs);
    assert.equal(configurationOf(resumed)?.deadlineAt, now + 11 * settings.configureTimeoutMs);
    assert.deepEqual(
      effects.map(({ type }) => type),
      ["arm-timer", "inspect-node"],
    );
  });

  it("are not waited for any more after a cancel, and the node stays proved", () => {
    const { state, effects } = step(provedWith(reportOf("running")), { type: "cancel-requested" });
    assert.equal(configurationOf(state)?.state, "cancelled");
    assert.deepEqual(
      effects.map(({ type }) => type),
      ["record-event", "queue-hooks", "settle"],
    );
    const configured = provedWith(reportOf("succeeded"));
    assert.equal(step(configured, { type: "cancel-requested" }).state, configured);
  });

  for (const [title, ended] of [
    ["failed", step(provedWith(reportOf("running", "waiting")), sighted(reportOf("failed", "waiting"))).state],
    ["were cancelled", step(provedWith(reportOf("running")), { type: "cancel-requested" }).state],
  ] as const) {
    it(`that ${title} make a configured node after all, whenever they succeed, and nothing less`, () => {
      assert.ok(isOpen(ended), "nobody would tell it");
      assert.equal(step(ended, sighted(reportOf("running", "waiting"))).state, ended);
      const { state, effects } = step(ended, sighted(reportOf("succeeded", "succeeded")), now + 10 ** 9);
      assert.equal(configurationOf(state)?.state, "configured");
      assert.equal(configurationOf(state)?.failure, undefined);
      assert.match(JSON.stringify(effects), /configured, after all/);
      const settles = (of: "end" | "tasks", before: ReimageState) =>
        step(before, { type: "settled", of, step: before.step }).state;
      const proofSettled = settles("end", state);
      assert.ok(isOpen(proofSettled), "its hooks are not queued yet");
      assert.equal(isOpen(settles("tasks", proofSettled)), false);
    });
  }

  it("whose end was saved have their hooks queued after a restart, until that is done once", () => {
    const hooks = [
      { type: "queue-hooks", of: "tasks" },
      { type: "settle", of: "tasks" },
    ];
    const settled = (of: "end" | "tasks", state: ReimageState) => step(state, { type: "settled", of, step: 5 }).state;
    const proved = settled("end", provedWith(reportOf("running")));
    const { state } = step(proved, sighted(reportOf("succeeded")));
    const resumed = (of: ReimageState) => step(JSON.parse(JSON.stringify(of)), { type: "resumed" });
    assert.deepEqual(resumed(state).effects, hooks);
    assert.equal(isSettled(state.phase), false);
    assert.deepEqual(resumed(settled("end", state)).effects, hooks, "the proof's own end says nothing of the tasks'");
    const done = settled("tasks", state);
    assert.equal(isSettled(done.phase), true);
    assert.deepEqual(resumed(done).effects, []);
    const { settled: _, ...older } = configurationOf(state) ?? assert.fail();
    const kept = { ...state, phase: { ...state.phase, configuration: older } as ReimageState["phase"] };
    assert.deepEqual(resumed(kept).effects, [], "of an older Pallet's journal");
  });

  it("of a node that was proved late are its tasks, too", () => {
    const late = { disk: "/dev/mmcblk0", previousBootId: "boot-1" };
    const failed = stateIn("failed");
    const state = { ...failed, phase: { ...failed.phase, late } as ReimageState["phase"] };
    assert.equal(configurationOf(step(state, sighted(reportOf("succeeded"))).state)?.state, "configured");
    const without = step(state, sighted(undefined)).state;
    assert.equal(without.phase.name, "proved");
    assert.ok(isOpen(without), "the controller may end before anything has followed on the late proof");
    assert.equal(isOpen(step(without, { type: "settled", of: "end", step: without.step }).state), false);
    const running = step(state, sighted(reportOf("running"))).state;
    assert.ok(isOpen(running), "after the end of its rollout, too, what it reports is heard");
    assert.equal(configurationOf(step(running, sighted(reportOf("succeeded"))).state)?.state, "configured");
  });

  it("decide, with the proofs, how the rollout has ended", () => {
    const record = {
      ...stateIn("proved"),
      id: "r",
      request: "",
      cancelled: false,
      endedAt: now,
    } as unknown as Parameters<typeof viewRollout>[0];
    const stateWith = (report: TasksReport) => viewRollout(record, [provedWith(report)]);
    assert.equal(stateWith(reportOf("succeeded", "succeeded")).state, "succeeded");
    assert.equal(stateWith(reportOf("succeeded", "running")).state, "failed", "of a late proof: not yet");
    const failed = stateWith(reportOf("succeeded", "failed"));
    assert.equal(failed.state, "failed");
    assert.equal(failed.reimages[0]?.phase, "proved");
    const { failure, ...configuration } = failed.reimages[0]?.configuration ?? assert.fail();
    assert.deepEqual(configuration, { state: "failed", tasks: 2, succeeded: 1, task: "join", endedAt: now });
    assert.match(failure?.message ?? "", /task join failed/);
  });

  it("whatever is heard of them, and whenever: a proved node stays proved, and a configured one configured", () => {
    const state = fc.constantFrom<TaskState>("waiting", "running", "succeeded", "failed");
    const event = fc.oneof(
      { weight: 6, arbitrary: fc.array(state, { maxLength: 2 }).map((states) => sighted(reportOf(...states))) },
      { weight: 1, arbitrary: fc.constantFrom<ReimageEvent>({ type: "cancel-requested" }, { type: "resumed" }) },
      { weight: 1, arbitrary: fc.constant(undefined) },
    );
    fc.assert(
      fc.property(fc.array(fc.tuple(event, fc.nat(2 * settings.configureTimeoutMs)), { maxLength: 20 }), (events) => {
        let current = provedWith(reportOf("waiting", "waiting"));
        let at = now;
        for (const [next, after] of events) {
          at += after;
          const before = configurationOf(current)?.state;
          const { state: then, effects } = step(current, next ?? answer(current, "deadline-passed"), at);
          assert.equal(then.phase.name, "proved");
          assert.deepEqual((then.phase as PhaseOf<"proved">).proof, (current.phase as PhaseOf<"proved">).proof);
          const is = configurationOf(then)?.state;
          if (before === "configured") assert.equal(is, "configured");
          if (before !== "running") assert.notEqual(is, "running");
          for (const { type } of effects)
            assert.ok(
              ["record-event", "arm-timer", "inspect-node", "record-proof", "queue-hooks", "settle"].includes(type),
              type,
            );
          current = then;
        }
        const last = step(current, sighted(reportOf("succeeded", "succeeded")), at).state;
        assert.equal(configurationOf(last)?.state, "configured", "it can still become a configured node");
      }),
    );
  });
});
