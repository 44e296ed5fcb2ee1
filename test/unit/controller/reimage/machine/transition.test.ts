import assert from "node:assert/strict";
import { test } from "node:test";
import type { ReimageEventType, Sighting } from "../../../../../controller/reimage/machine/reimage-event.ts";
import {
  hasEnded,
  type PhaseName,
  type ReimageState,
} from "../../../../../controller/reimage/machine/reimage-state.ts";
import { defaultReimageSettings as settings } from "../../../../../controller/reimage/machine/settings.ts";
import { transition } from "../../../../../controller/reimage/machine/transition.ts";
import type { OperationId } from "../../../../../proto/operation/operation.ts";
import type { Progress } from "../../../../../proto/operation/progress.ts";
import type { ImageDigest } from "../../../../../proto/pack/digest.ts";
import { eventsAt, netbooted, phases, progress, proof, startedAt, stateIn } from "../fakes/sample-states.ts";

const late = startedAt + 700_000;
const names = Object.keys(phases) as PhaseName[];
const types = Object.keys(eventsAt(4)) as ReimageEventType[];

/** Where each event leads from each phase when it comes past the deadline; what is not named stays. */
const leads: { readonly [From in PhaseName]: { readonly [Type in ReimageEventType]?: PhaseName } } = {
  queued: { started: "netbooting", "cancel-requested": "cancelled", "effect-failed": "failed" },
  preparing: {
    "hooks-passed": "netbooting",
    "hooks-refused": "failed",
    "cancel-requested": "cancelled",
    "effect-failed": "failed",
  },
  netbooting: {
    "agent-sighted": "checking",
    "deadline-passed": "failed",
    "cancel-requested": "cancelled",
    "effect-failed": "failed",
  },
  checking: {
    "preflight-passed": "writing",
    "preflight-refused": "failed",
    "deadline-passed": "failed",
    "cancel-requested": "cancelled",
    "effect-failed": "failed",
  },
  waiting: {
    "write-admitted": "checking",
    "agent-sighted": "checking",
    "cancel-requested": "cancelled",
    "effect-failed": "failed",
  },
  writing: {
    "agent-sighted": "netbooting",
    "write-succeeded": "rebooting",
    "write-failed": "failed",
    "write-cancelled": "failed",
    "write-lost": "netbooting",
    "deadline-passed": "failed",
    "cancel-requested": "cancelling",
    "effect-failed": "failed",
  },
  cancelling: {
    "agent-sighted": "cancelled",
    "write-succeeded": "cancelled",
    "write-failed": "cancelled",
    "write-cancelled": "cancelled",
    "write-lost": "cancelled",
    "deadline-passed": "cancelled",
    "effect-failed": "cancelled",
  },
  rebooting: {
    "boot-file-fetched": "proving",
    "deadline-passed": "failed",
    "cancel-requested": "cancelled",
    "effect-failed": "failed",
  },
  proving: {
    "agent-sighted": "rebooting",
    "deadline-passed": "failed",
    "cancel-requested": "cancelled",
    "effect-failed": "failed",
  },
  proved: {},
  failed: {},
  cancelled: {},
};

test("every event in every phase leads where the table says", () => {
  for (const name of names) {
    const state = stateIn(name);
    for (const type of types) {
      const next = transition(state, eventsAt(state.step)[type], late, settings);
      assert.equal(next.state.phase.name, leads[name][type] ?? name, `${type} in ${name}`);
    }
  }
});

test("a clock that is set back by years makes no phase wait for years", () => {
  for (const name of names) {
    const state = stateIn(name);
    if (!("deadlineAt" in state.phase)) continue;
    const now = startedAt - 20 * 365 * 86_400_000;
    const { state: next, effects } = transition(state, eventsAt(state.step)["deadline-passed"], now, settings);
    assert.deepEqual(
      effects.map((effect) => effect.type === "arm-timer" && effect.delayMs <= 600_000),
      [true],
      name,
    );
    const end = transition(next, eventsAt(next.step)["deadline-passed"], now + 600_000, settings).state;
    assert.ok(hasEnded(end.phase) || end.phase.name === "writing", `${name} leads to ${end.phase.name}`);
  }
});

test("answers to effects of an earlier step change nothing", () => {
  for (const name of names) {
    const state = stateIn(name);
    for (const type of types) {
      const event = eventsAt(state.step - 1)[type];
      if (!("step" in event)) continue;
      assert.deepEqual(transition(state, event, late, settings), { state, effects: [] }, `${type} in ${name}`);
    }
  }
});

test("ended reimages absorb everything: nothing is done, and only their settling is noted", () => {
  for (const name of ["proved", "failed", "cancelled"] as const) {
    const settled = { ...stateIn(name), phase: { ...phases[name], settled: true } };
    for (const type of types) {
      assert.deepEqual(transition(settled, eventsAt(4)[type], late, settings), { state: settled, effects: [] });
      if (type === "resumed" || type === "settled") continue;
      const unsettled = stateIn(name);
      assert.deepEqual(transition(unsettled, eventsAt(4)[type], late, settings), { state: unsettled, effects: [] });
    }
  }
});

test("an ended reimage whose last effects were not done does them when the controller is back", () => {
  const effects = (name: PhaseName) => transition(stateIn(name), { type: "resumed" }, late, settings).effects;
  const last = [
    { type: "queue-hooks", of: "end" },
    { type: "settle", of: "end" },
  ];
  assert.deepEqual(effects("failed"), [{ type: "set-boot-target", target: "agent" }, ...last]);
  assert.deepEqual(effects("cancelled"), [{ type: "set-boot-target", target: "agent" }, ...last]);
  assert.deepEqual(effects("proved"), [{ type: "record-proof" }, ...last]);
});

test("hooks that ran when the controller ended are run again when it is back", () => {
  const { state, effects } = transition(stateIn("preparing"), { type: "resumed" }, late, settings);
  assert.deepEqual(effects, [{ type: "run-hooks" }]);
  assert.deepEqual(state, stateIn("preparing"));
});

test("leaving a phase for a failed or cancelled end sets the boot target to agent", () => {
  for (const name of names) {
    for (const type of types) {
      const { state, effects } = transition(stateIn(name), eventsAt(4)[type], late, settings);
      if (hasEnded(phases[name]) || (state.phase.name !== "failed" && state.phase.name !== "cancelled")) continue;
      const targets = effects.filter((effect) => effect.type === "set-boot-target").map(({ target }) => target);
      assert.deepEqual(targets, ["agent"], `${type} in ${name}`);
      assert.equal(effects.at(-1)?.type, "settle");
    }
  }
});

test("the boot target becomes local on the way into rebooting only, and before the reboot is asked for", () => {
  for (const name of names) {
    for (const type of types) {
      const { state, effects } = transition(stateIn(name), eventsAt(4)[type], late, settings);
      const local = effects.findIndex((effect) => effect.type === "set-boot-target" && effect.target === "local");
      assert.equal(local >= 0, state.phase.name === "rebooting" && effects.length > 2, `${type} in ${name}`);
      if (local < 0) continue;
      assert.ok(local < effects.findIndex((effect) => effect.type === "reboot-node"));
    }
  }
});

test("a deadline that has moved on is waited for again", () => {
  for (const name of ["netbooting", "checking", "writing", "cancelling", "rebooting", "proving"] as const) {
    const state = stateIn(name);
    const { state: after, effects } = transition(state, eventsAt(4)["deadline-passed"], startedAt + 1000, settings);
    assert.equal(after.phase.name, name);
    assert.deepEqual(effects, [{ type: "arm-timer", timer: "deadline", delayMs: 599_000 }]);
  }
});

function sighted(state: ReimageState, sighting: Sighting) {
  return transition(state, { type: "agent-sighted", ...sighting }, late, settings);
}

const proofs: readonly [title: string, sighting: Sighting, leadsTo: PhaseName, found?: string][] = [
  ["the right system", proof, "proved"],
  ["the right system on a disk that its kernel numbers differently", { ...proof, rootDisk: "/dev/mmcblk1" }, "proved"],
  ["the old boot", { ...proof, bootId: "boot-1" }, "proving"],
  ["another image", { ...proof, installed: { ...stamp(), imageDigest: "00" as typeof proofDigest } }, "failed", "00"],
  [
    "the same image from an earlier reimage",
    { ...proof, installed: { ...stamp(), reimageId: "older" } },
    "failed",
    "older",
  ],
  ["a system without a stamp", withoutStamp(), "failed", "no stamp"],
  ["a root on another kind of disk", { ...proof, rootDisk: "/dev/sda", rootDevice: "/dev/sda2" }, "failed", "/dev/sda"],
  ["a root on no disk", { ...proof, rootDisk: "", rootDevice: "10.0.0.1:/x" }, "failed", "10.0.0.1:/x"],
  ["the netbooted agent, for the first time", netbooted, "rebooting"],
];
const proofDigest = stamp().imageDigest;

function stamp(): NonNullable<Sighting["installed"]> {
  assert.ok(proof.installed);
  return proof.installed;
}

function withoutStamp(): Sighting {
  const { installed: _installed, ...rest } = proof;
  return rest;
}

for (const [title, sighting, leadsTo, found] of proofs) {
  test(`coming back on ${title} leads from proving to ${leadsTo}`, () => {
    const { phase } = sighted(stateIn("proving"), sighting).state;
    assert.equal(phase.name, leadsTo);
    if (phase.name !== "failed") return;
    assert.equal(phase.failure.reason, "wrong-system");
    assert.equal(phase.failure.found, found);
  });
}

test("the proof counts although no boot file was seen", () => {
  assert.equal(sighted(stateIn("rebooting"), proof).state.phase.name, "proved");
});

test("a boot file that was fetched before the flip is no sign of the reboot", () => {
  const event = { type: "boot-file-fetched", path: "x", at: startedAt - 1 } as const;
  assert.equal(transition(stateIn("rebooting"), event, late, settings).state.phase.name, "rebooting");
});

test("the write is repeated with the same operation, and another attempt has another", () => {
  const diskFirmware = { action: "rename", partitions: [], files: ["bootcode.bin"] } as const;
  const passed = { ...eventsAt(4)["preflight-passed"], diskFirmware };
  const start = transition(stateIn("checking"), passed, late, settings);
  const first = start.effects.find((effect) => effect.type === "start-write");
  assert.equal(first?.operationId, "reimage-1-2");
  assert.equal(first?.diskFirmware, diskFirmware);
  const retried = transition(start.state, { type: "retry-due", step: start.state.step }, late + 5000, settings);
  assert.deepEqual(retried.effects, [{ type: "void-proof" }, first]);
  const resumed = transition(start.state, { type: "resumed" }, late + 9000, settings);
  assert.deepEqual(
    resumed.effects.find((effect) => effect.type === "start-write"),
    first,
  );
});

const bootTarget = { kind: "local", imageDigest: "d".repeat(64) as ImageDigest } as const;

test("a cancellation that overtakes the start of its write asks once more", () => {
  const writing = { ...stateIn("writing"), phase: { ...phases.writing, started: false } };
  const cancelling = transition(writing, { type: "cancel-requested" }, late, settings).state;
  const { step } = cancelling;
  const once = transition(cancelling, { type: "write-lost", step }, late, settings);
  assert.equal(once.state.phase.name, "cancelling");
  assert.deepEqual(once.effects, [{ type: "arm-timer", timer: "retry", delayMs: settings.retryDelayMs }]);
  assert.equal(transition(once.state, { type: "write-lost", step }, late, settings).state.phase.name, "cancelled");
});

test("a cancellation that its agent holds against the start leaves the card untouched, and the node as it was", () => {
  const writing = { ...stateIn("writing"), phase: { ...phases.writing, started: false }, before: { bootTarget } };
  const cancelling = transition(writing, { type: "cancel-requested" }, late, settings).state;
  const lost = { type: "write-lost", step: cancelling.step, isRefusedNow: true } as const;
  const { phase } = transition(cancelling, lost, late, settings).state;
  assert.equal(phase.name, "cancelled");
  if (phase.name !== "cancelled") return;
  assert.equal(phase.verdict, "untouched");
  assert.ok(phase.goingBack);
});

test("a preflight that another boot answered is asked again and leads to no write", () => {
  const checking = stateIn("checking");
  const event = { ...eventsAt(4)["preflight-passed"], agent: { bootId: "boot-of-another", instanceId: "i" } };
  const { state, effects } = transition(checking, event, late, settings);
  assert.equal(state.phase.name, "checking");
  assert.deepEqual(effects, [{ type: "arm-timer", timer: "retry", delayMs: settings.retryDelayMs }]);
});

test("a boot that was asked to end stays over, also when it is heard of after the one that followed it", () => {
  const again = sighted(stateIn("proving"), netbooted).state;
  assert.equal(again.phase.name, "rebooting");
  const lateNews = { ...netbooted, bootId: "boot-1", instanceId: "instance-1" };
  assert.deepEqual(sighted(again, lateNews), { state: again, effects: [] });
});

test("a node that restarts for ever is given up", () => {
  let state = stateIn("checking");
  for (let boot = 1; boot <= 100 && !hasEnded(state.phase); boot += 1) {
    state = sighted(state, { ...netbooted, bootId: `b-${boot}`, instanceId: `i-${boot}` }).state;
  }
  assert.equal(state.phase.name, "failed");
  assert.ok(state.step <= settings.maxSteps + 1);
});

test("patience with a write starts anew whenever the agent has done anything, whatever its counts say", () => {
  const stages = [{ stage: "compare", bytes: 1000, busyMs: 10 }] as const;
  const before = { ...stateIn("writing"), progress: { ...progress, stages } };
  const after = (next: Progress): number | undefined => {
    const event = { type: "write-progressed", step: 4, progress: next } as const;
    const { phase } = transition(before, event, late, settings).state;
    return "deadlineAt" in phase ? phase.deadlineAt : undefined;
  };
  const anew = late + settings.stallTimeoutMs;
  const unchanged = after(before.progress);
  assert.notEqual(unchanged, anew);
  assert.equal(after({ ...progress, stages, bytesPerSecond: 7 }), unchanged, "a mean of seconds that are over");
  assert.equal(after({ ...progress, stages: [{ ...stages[0], busyMs: 9999 }] }), unchanged, "waiting is no work");
  assert.equal(after({ ...progress, phase: "verifying", stages }), anew);
  assert.equal(after({ ...progress, stages, read: { done: 2, total: 2 } }), anew);
  // A card that is compared and found right, or read a second time, moves no count.
  assert.equal(after({ ...progress, stages: [{ ...stages[0], bytes: 1001 }] }), anew);
  assert.equal(after({ ...progress, stages: [...stages, { stage: "read-back", bytes: 1, busyMs: 0 }] }), anew);
});

const gone: Sighting = { ...netbooted, bootId: "boot-0", instanceId: "instance-0" };

for (const past of [["boot-0"], ["instance-0"], ["boot-0", "instance-0", "boot-7"]])
  test(`an agent of the past (${past.join(", ")}) is asked whether it is there, and is not past if it answers`, () => {
    for (const name of ["netbooting", "checking", "waiting", "writing"] as const) {
      const state = { ...stateIn(name), past };
      const doubted = transition(state, { type: "agent-sighted", ...gone }, startedAt, settings);
      assert.deepEqual(doubted, { state, effects: [{ type: "confirm-agent", sighting: gone }] });
      const event = { type: "agent-confirmed", step: state.step, sighting: gone } as const;
      const confirmed = transition(state, event, startedAt, settings);
      const fresh = { ...state, past: past.filter((id) => id === "boot-7") };
      assert.deepEqual(confirmed, transition(fresh, { type: "agent-sighted", ...gone }, startedAt, settings), name);
      assert.notEqual(confirmed.state.step, state.step);
    }
  });

test("an agent of the past is not asked after the write, nor when its boot is to end", () => {
  const states = (["queued", "cancelling", "rebooting", "proving", "proved", "failed", "cancelled"] as const).map(
    stateIn,
  );
  const leaving = { ...stateIn("netbooting"), phase: { ...phases.netbooting, rebootAskedOf: "boot-0" } as never };
  for (const each of [...states, leaving]) {
    const state = { ...each, past: ["boot-0"] };
    assert.deepEqual(transition(state, { type: "agent-sighted", ...gone }, startedAt, settings), {
      state,
      effects: [],
    });
    const event = { type: "agent-confirmed", step: state.step, sighting: gone } as const;
    assert.deepEqual(transition(state, event, startedAt, settings), { state, effects: [] });
  }
});

test("an agent that was never past is not made news by its confirmation", () => {
  for (const name of names) {
    const state = stateIn(name);
    assert.deepEqual(transition(state, eventsAt(4)["agent-confirmed"], late, settings), { state, effects: [] }, name);
  }
});

test("an adopted write is the one that is watched and cancelled from then on", () => {
  const state = { ...stateIn("writing"), phase: { ...phases.writing, started: false } as never };
  const event = { type: "write-started", step: 4, operationId: "reimage-1-0" as OperationId } as const;
  const adopted = transition(state, event, startedAt, settings).state;
  const cancelling = transition(adopted, { type: "cancel-requested" }, startedAt, settings);
  assert.ok(
    cancelling.effects.some((effect) => effect.type === "cancel-write" && effect.operationId === "reimage-1-0"),
  );
});
