import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { isConfiguring } from "../../../../../controller/reimage/machine/configuration.ts";
import type { Effect } from "../../../../../controller/reimage/machine/effect.ts";
import type {
  ReimageEvent,
  ReimageEventType,
  Sighting,
} from "../../../../../controller/reimage/machine/reimage-event.ts";
import {
  type Configuration,
  hasEnded,
  type ReimageState,
} from "../../../../../controller/reimage/machine/reimage-state.ts";
import { defaultReimageSettings as settings } from "../../../../../controller/reimage/machine/settings.ts";
import { transition } from "../../../../../controller/reimage/machine/transition.ts";
import type { TasksReport } from "../../../../../proto/system/tasks/report-tasks.ts";
import type { TaskState } from "../../../../../proto/words/task-state.ts";
import { digest, eventsAt, netbooted, proof, queued, startedAt } from "../fakes/sample-states.ts";

interface Move {
  readonly type: ReimageEventType;
  /** How many steps ago the effect was asked for that an answer answers. */
  readonly lateness: number;
  /** Which of a few boots an agent speaks from; 0 is one that was never heard of before. */
  readonly boot: number;
  readonly instance: number;
  readonly resident: boolean;
  readonly stamped: boolean;
  /** How far the tasks of the system are; none: it has no tasks. */
  readonly tasks: TaskState | "none";
  readonly reason: "fetch-failed" | "device-error";
  readonly afterMs: number;
}

const types = Object.keys(eventsAt(0)) as ReimageEventType[];
/** Cancellations, failures and restarts end a journey early: most journeys should come far. */
const rare = new Set<ReimageEventType>([
  "cancel-requested",
  "effect-failed",
  "hooks-refused",
  "preflight-refused",
  "write-cancelled",
  "settled",
  "agent-confirmed",
]);

const move: fc.Arbitrary<Move> = fc.record({
  type: fc.oneof(
    { weight: 2, arbitrary: fc.constantFrom(...types) },
    { weight: 8, arbitrary: fc.constantFrom(...types.filter((type) => !rare.has(type))) },
    {
      weight: 12,
      arbitrary: fc.constantFrom<ReimageEventType>(
        "agent-sighted",
        "hooks-passed",
        "write-admitted",
        "preflight-passed",
        "write-succeeded",
        "boot-file-fetched",
        "started",
      ),
    },
  ),
  lateness: fc.oneof(
    { weight: 4, arbitrary: fc.constant(0) },
    { weight: 1, arbitrary: fc.integer({ min: -1, max: 3 }) },
  ),
  boot: fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 5 })),
  instance: fc.integer({ min: 1, max: 3 }),
  resident: fc.boolean(),
  stamped: fc.boolean(),
  tasks: fc.constantFrom("none" as const, "waiting", "running", "succeeded", "failed"),
  reason: fc.constantFrom("fetch-failed" as const, "device-error" as const),
  afterMs: fc.oneof(fc.integer({ min: 0, max: 5000 }), fc.constant(400_000)),
});

function eventOf(state: ReimageState, made: Move, now: number): ReimageEvent {
  const event = eventsAt(state.step - made.lateness)[made.type];
  if (event.type === "boot-file-fetched") return { ...event, at: now };
  if (event.type === "write-failed")
    return { ...event, failure: Object.assign(event.failure, { reason: made.reason }) };
  if (event.type === "preflight-passed" && state.phase.name === "checking" && made.boot < 4) {
    const instanceId = made.boot === 0 ? `instance-at-${now}` : state.phase.agent.instanceId;
    return { ...event, agent: { bootId: state.phase.agent.bootId, instanceId } };
  }
  if (event.type !== "agent-sighted" && event.type !== "agent-confirmed") return event;
  const { installed, ...withoutStamp } = proof;
  const resident: Sighting = made.stamped ? proof : withoutStamp;
  const bootId = made.boot === 0 ? `boot-at-${now}` : `boot-${made.boot}`;
  const tasks = made.resident && made.tasks !== "none" && { tasks: reportOf(made.tasks) };
  const sighting = {
    ...(made.resident ? resident : netbooted),
    ...tasks,
    bootId,
    instanceId: `${bootId}-${made.instance}`,
  };
  return event.type === "agent-sighted" ? { ...event, ...sighting } : { ...event, sighting };
}

/** Of a system with two tasks, by how far it is with the first that has not succeeded. */
function reportOf(state: TaskState): TasksReport {
  const second = state === "succeeded" ? "succeeded" : "waiting";
  return {
    configDigest: "ab".repeat(32),
    tasks: [
      { name: "first", state, starts: 1 },
      { name: "second", state: second, starts: 0 },
    ],
  };
}

interface Told {
  readonly before: ReimageState;
  readonly event: ReimageEvent;
  readonly after: ReimageState;
  readonly effects: readonly Effect[];
}

/** Plays the moves, then lets time pass until nothing more can happen. */
function play(moves: readonly Move[]): Told[] {
  const told: Told[] = [];
  let state = queued;
  let now = startedAt;
  const hooked = moves.length % 2 === 1;
  const take = (event: ReimageEvent): void => {
    // What survives a restart is what JSON keeps; time and progress of the state may be lost.
    const before = event.type === "resumed" ? (JSON.parse(JSON.stringify(state)) as ReimageState) : state;
    const { state: after, effects } = transition(before, event, now, settings);
    told.push({ before, event, after, effects });
    state = after;
  };
  take({ type: "started", before: { bootTarget: { kind: "local", imageDigest: digest } }, hooked });
  for (const made of moves) {
    now += 1 + made.afterMs;
    take(eventOf(state, made, now));
  }
  for (let passed = 0; passed < 5 && !hasEnded(state.phase); passed += 1) {
    now += 700_000;
    // However long it waited, its turn comes.
    if (state.phase.name === "waiting") take({ type: "write-admitted" });
    // Each hook has a time limit of its own.
    if (state.phase.name === "preparing") take({ type: "hooks-passed", step: state.step });
    take({ type: "deadline-passed", step: state.step });
  }
  if (hasEnded(state.phase)) take({ type: "settled", of: "end", step: state.step });
  if (isConfiguring(state.phase)) {
    now += settings.configureTimeoutMs;
    take({ type: "deadline-passed", step: state.step });
  }
  if (configurationOf(state)?.settled === false) take({ type: "settled", of: "tasks", step: state.step });
  return told;
}

// At full length: in short ones the rare phases never come.
const journeys = fc.array(move, { maxLength: 60, size: "max" });
const targetsIn = (effects: readonly Effect[]): string[] =>
  effects.flatMap((effect) =>
    effect.type === "set-boot-target" ? [effect.target] : effect.type === "restore-node" ? ["as before"] : [],
  );

function holds(check: (told: readonly Told[]) => void): void {
  fc.assert(
    fc.property(journeys, (moves) => check(play(moves))),
    { numRuns: 1000 },
  );
}

function configurationOf({ phase }: ReimageState): Configuration | undefined {
  return phase.name === "proved" ? phase.configuration : undefined;
}

test("whatever happens, the boot target is local only after a write that succeeded", () => {
  holds((told) => {
    let succeeded = false;
    for (const { before, event, after, effects } of told) {
      if (event.type === "write-succeeded" && before.phase.name === "writing" && event.step === before.step)
        succeeded = true;
      if (after.phase.name === "writing") succeeded = false;
      // A stamp that shows itself late is a write that has succeeded, whoever heard of it.
      const isLate = after.phase.name === "proved" && after.phase.late === true;
      if (targetsIn(effects).includes("local")) assert.ok(succeeded || isLate);
    }
  });
});

test("whatever happens, nothing is done to a node before its hooks have passed", () => {
  holds((told) => {
    for (const { before, event, after, effects } of told) {
      if (before.phase.name === "preparing" && after.phase.name === "netbooting")
        assert.equal(event.type, "hooks-passed");
      if (after.phase.name !== "preparing") continue;
      const others = effects.filter(({ type }) => type !== "run-hooks" && type !== "record-event");
      assert.deepEqual(others, []);
    }
  });
});

test("whatever happens, every end of a reimage that has begun, and of its tasks, has its hooks queued before it is settled", () => {
  holds((told) => {
    for (const { before, after, effects } of told) {
      const isNew = hasEnded(after.phase) && after.phase.name !== before.phase.name;
      const hasBegun = before.phase.name !== "queued";
      const [was, is] = [configurationOf(before)?.endedAt, configurationOf(after)?.endedAt];
      const ends = [
        ...(isNew && hasBegun ? (["end"] as const) : []),
        ...(is !== undefined && is !== was ? (["tasks"] as const) : []),
      ];
      for (const of of ends) {
        const at = (type: Effect["type"]) =>
          effects.findIndex((each) => each.type === type && "of" in each && each.of === of);
        assert.ok(at("queue-hooks") >= 0, `the hooks of ${of} are not queued`);
        assert.ok(at("settle") > at("queue-hooks"), `${of} is settled before its hooks are queued`);
      }
    }
  });
});

test("whatever happens, what was not settled has its hooks queued again after a restart, and nothing else has", () => {
  holds((told) => {
    for (const { after } of told) {
      if (!hasEnded(after.phase) || after.step <= 1) continue;
      const { effects } = transition(after, { type: "resumed" }, startedAt, settings);
      const queued = effects.flatMap((each) => (each.type === "queue-hooks" ? [each.of] : []));
      assert.equal(queued.includes("end"), !after.phase.settled);
      assert.equal(queued.includes("tasks"), configurationOf(after)?.settled === false);
    }
  });
});

test("whatever happens, a node is configured by a report that all its tasks have succeeded, and by nothing else", () => {
  holds((told) => {
    for (const { before, event, after } of told) {
      const [was, is] = [configurationOf(before)?.state, configurationOf(after)?.state];
      if (was === "configured") assert.equal(is, "configured");
      if (is !== "configured" || was === "configured") continue;
      const sighting = event.type === "agent-confirmed" ? event.sighting : event;
      assert.ok("tasks" in sighting && sighting.tasks?.tasks.every(({ state }) => state === "succeeded") === true);
      assert.equal("installed" in sighting && sighting.installed?.reimageId, after.id);
    }
  });
});

test("whatever becomes of its tasks, a proved node stays proved, and in the end nobody waits for them", () => {
  holds((told) => {
    for (const { before, after } of told) {
      if (before.phase.name === "proved") assert.equal(after.phase.name, "proved");
    }
    assert.equal(isConfiguring((told.at(-1) as Told).after.phase), false);
  });
});

test("whatever happens, a turn to write is for one write, and none begins without", () => {
  holds((told) => {
    let turns = 0;
    for (const { before, event, after } of told) {
      if (event.type === "write-admitted" && after !== before) turns += 1;
      if (after.phase.name === "writing" && before.phase.name !== "writing") turns -= 1;
      if (after.phase.name !== "writing" && (after.phase.name !== "checking" || after.phase.mayWrite !== true))
        turns = 0;
      assert.ok(turns >= 0, "it writes although it is not its turn");
    }
  });
});

test("whatever happens, every reimage ends once time passes", () => {
  holds((told) => assert.ok(hasEnded((told.at(-1) as Told).after.phase)));
});

test("whatever happens, a proved reimage leaves the boot target local, one that touched nothing as it was, others agent", () => {
  holds((told) => {
    const target = told.flatMap(({ effects }) => targetsIn(effects)).at(-1);
    const { phase } = (told.at(-1) as Told).after;
    if (phase.name === "proved") assert.equal(target, "local");
    else assert.equal(target, "verdict" in phase && phase.verdict === "untouched" ? "as before" : "agent");
  });
});

test("whatever happens, no boot is asked to end that is known to be over", () => {
  holds((told) => {
    for (const { after, effects } of told) {
      for (const effect of effects) {
        if (effect.type !== "reboot-node") continue;
        assert.ok(!after.past.includes(effect.expectedBootId), `${effect.expectedBootId} is past`);
        assert.ok(["netbooting", "rebooting"].includes(after.phase.name));
      }
    }
  });
});

test("whatever happens, nothing is asked of a node after the end but to leave the agent for its own system", () => {
  holds((told) => {
    for (const { before, after, effects } of told) {
      if (hasEnded(before.phase)) {
        const isLate = after.phase.name === "proved" && after.phase.late === true;
        const own = ["set-boot-target", "restore-node", "record-proof", "inspect-node", "record-event"];
        own.push("queue-hooks", "settle");
        const back = "goingBack" in before.phase ? ["send-back", "arm-timer"] : [];
        // For its tasks, of a proof that came late too.
        if (configurationOf(after) !== undefined) back.push("arm-timer");
        const asked = effects.filter(({ type }) => ![...own, ...back].includes(type));
        assert.deepEqual(asked, []);
        if (targetsIn(effects).includes("local")) assert.ok(isLate);
      }
    }
  });
});

test("whatever happens, attempts and reboots are bounded, and each write has an operation of its own", () => {
  holds((told) => {
    const started = new Map<string, number>();
    for (const { after, effects } of told) {
      assert.ok(after.attempts <= settings.maxAttempts);
      assert.ok(after.rebootsIntoAgent <= settings.maxRebootsIntoAgent);
      assert.ok(after.step <= settings.maxSteps + 2);
      for (const effect of effects) if (effect.type === "start-write") started.set(effect.operationId, after.attempts);
    }
    assert.equal(new Set(started.values()).size, started.size);
  });
});

test("whatever happens, a proof names a boot that is not the one that wrote", () => {
  holds((told) => {
    const { phase, past } = (told.at(-1) as Told).after;
    if (phase.name !== "proved") return;
    assert.ok(phase.proof.kind === "resident");
    assert.notEqual(phase.proof.bootId, phase.proof.previousBootId);
    assert.ok(!past.includes(phase.proof.bootId));
  });
});

test("the journeys that are played come to every phase", () => {
  const seen = new Set<string>();
  fc.assert(
    fc.property(journeys, (moves) => {
      for (const { after } of play(moves)) seen.add(after.phase.name);
    }),
    { numRuns: 2500, seed: 7 },
  );
  assert.deepEqual([...seen].sort(), [
    "cancelled",
    "cancelling",
    "checking",
    "failed",
    "netbooting",
    "preparing",
    "proved",
    "proving",
    "rebooting",
    "waiting",
    "writing",
  ]);
});
