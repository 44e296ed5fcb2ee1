// Every verdict against a card that is modelled apart: an agent that runs writes, dies, forgets them, and answers or not.
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { BeforeReimage } from "../../../../../controller/reimage/machine/before.ts";
import type { Effect, EffectOf } from "../../../../../controller/reimage/machine/effect.ts";
import type { Answer, Occurrence } from "../../../../../controller/reimage/machine/reimage-event.ts";
import { hasEnded, type ReimageState } from "../../../../../controller/reimage/machine/reimage-state.ts";
import { defaultReimageSettings as settings } from "../../../../../controller/reimage/machine/settings.ts";
import { transition } from "../../../../../controller/reimage/machine/transition.ts";
import { Failure, type FailureReason } from "../../../../../proto/failure.ts";
import type { DiskOutcome } from "../../../../../proto/words/disk-outcome.ts";
import { digest, eventsAt, netbooted, queued, startedAt } from "../fakes/sample-states.ts";

type Card = "before" | "erased" | "image";
const outcomeOf: Readonly<Record<Card, DiskOutcome>> = { before: "untouched", erased: "no-table", image: "image" };

interface Write {
  state: "running" | "failed" | "cancelled" | "succeeded";
  /** Whether this write has changed the card. */
  hasTouched: boolean;
}

/** What may happen next; what cannot happen now is skipped. */
const moves = [
  /** Whatever brings the reimage ahead. */
  "goes-on",
  "appear",
  "start-arrives",
  "start-is-refused",
  "start-is-lost",
  "answer-is-lost",
  "erases",
  "finishes",
  "fails",
  "fetch-fails",
  "is-reported",
  "agent-dies",
  "node-reboots",
  "passes",
  "refuses",
  "admitted",
  "cancel-answered",
  "late-start-arrives",
  "cancel-lost",
  "retry",
  "deadline",
  "controller-restarts",
  "operator-cancels",
  "effect-fails",
] as const;
type Move = (typeof moves)[number];
const rare: readonly Move[] = ["operator-cancels", "effect-fails", "deadline", "refuses", "start-is-refused"];
const usual = moves.filter((move) => !rare.includes(move));

const before: BeforeReimage = {
  bootTarget: { kind: "local", imageDigest: digest },
  proved: { imageName: "old", imageDigest: digest, kind: "resident" },
  installation: { imageDigest: digest, reimageId: "older", resident: true },
};

interface World {
  readonly state: ReimageState;
  readonly card: Card;
  /** Whether a write still runs, or one that was sent may yet. */
  readonly isRunning: boolean;
  /** Whether an agent was asked for a write, or may have been: the answer was still awaited when it no longer mattered. */
  readonly wasAsked: boolean;
  readonly target: string;
  readonly hasProof: boolean;
}

function play(order: readonly Move[], check: (world: World) => void, cancelsAhead = true): void {
  let state = queued;
  let now = startedAt;
  let card: Card = "before";
  let boot = 1;
  let instance = 1;
  let writes = new Map<string, Write>();
  let wasAsked = false;
  let target = "local";
  let hasProof = true;
  /** What the current step waits for. */
  let start: EffectOf<"start-write"> | undefined;
  let watched: string | undefined;
  let cancelled: EffectOf<"cancel-write"> | undefined;
  /** A start that was given up while it was on its way: the agent may get it yet, in the run that it was for. */
  let late: EffectOf<"start-write"> | undefined;
  let refused = new Set<string>();

  const agent = () => ({ bootId: `boot-${boot}`, instanceId: `instance-${instance}` });
  const running = (): Write | undefined => [...writes.values()].find((write) => write.state === "running");

  function take(event: Occurrence | (Answer & { readonly step: number })): void {
    now += 1000;
    const next = transition(state, event, now, settings);
    if (start !== undefined && (next.state.step !== state.step || event.type === "resumed")) wasAsked = true;
    if (next.state.step !== state.step) {
      late = start ?? late;
      start = undefined;
      watched = undefined;
      cancelled = undefined;
    }
    // What survives a restart at any moment is what the journal keeps.
    state = JSON.parse(JSON.stringify(next.state)) as ReimageState;
    next.effects.forEach(carryOut);
    check({ state, card, isRunning: running() !== undefined, wasAsked, target, hasProof });
  }
  function carryOut(effect: Effect): void {
    if (effect.type === "set-boot-target") target = effect.target;
    if (effect.type === "void-proof") {
      hasProof = false;
      assert.equal(state.phase.name, "writing");
    }
    if (effect.type === "restore-node") {
      target = state.before?.bootTarget.kind ?? "none";
      hasProof = state.before?.proved !== undefined;
    }
    if (effect.type === "start-write") start = effect;
    if (effect.type === "watch-write") watched = effect.operationId;
    if (effect.type === "cancel-write") cancelled = effect;
  }
  const answer = (event: Answer): void => take({ ...event, step: state.step });
  const unreachable = (unasked: boolean): void =>
    answer({ type: "agent-unreachable", failure: new Failure("node-silent", "nobody"), unasked });
  const failure = (reason: FailureReason): Failure => new Failure(reason, reason);
  /** Whether who answers now is the run that the question was for; what another says moves nothing, as in `withAgentOf`. */
  function isAsked(asked = "agent" in state.phase ? state.phase.agent : undefined): boolean {
    return asked?.bootId === agent().bootId && asked.instanceId === agent().instanceId;
  }

  function arrives(isAnswered: boolean): void {
    if (start === undefined) return;
    const { operationId } = start;
    const isOther = start.agent.bootId !== agent().bootId;
    start = undefined;
    if (isOther) {
      unreachable(true);
      return;
    }
    wasAsked = true;
    if (!writes.has(operationId)) writes.set(operationId, { state: "running", hasTouched: false });
    if (isAnswered) {
      watched = operationId;
      answer({ type: "write-started" });
    } else unreachable(false);
  }
  function newRun(): void {
    instance += 1;
    writes = new Map();
    refused = new Set();
    late = undefined;
  }
  function arrivesLate(): void {
    const isForThisRun = late?.agent.instanceId === agent().instanceId && late.agent.bootId === agent().bootId;
    if (late !== undefined && isForThisRun && !refused.has(late.operationId) && !writes.has(late.operationId))
      writes.set(late.operationId, { state: "running", hasTouched: false });
    late = undefined;
  }
  function end(how: Write["state"], reason: FailureReason): void {
    const write = running();
    if (write === undefined) return;
    write.state = how;
    failedFor = reason;
  }
  let failedFor: FailureReason = "device-error";

  /** How an operation is told: by its own agent, which knows only what this run of it did. */
  function told(id: string): Answer | undefined {
    const write = writes.get(id);
    if (write === undefined) return { type: "write-lost", isRefusedNow: refused.has(id) };
    const outcome = write.hasTouched ? outcomeOf[card] : "untouched";
    if (write.state === "succeeded") return { type: "write-succeeded" };
    if (write.state === "cancelled") return { type: "write-cancelled", outcome };
    if (write.state === "failed") return { type: "write-failed", failure: failure(failedFor), outcome };
    return undefined;
  }

  function goOn(): void {
    const { name } = state.phase;
    if (name === "netbooting") acts.appear();
    if (name === "checking") acts.passes();
    if (name === "waiting") acts.admitted();
    if (name === "writing") acts[start === undefined ? "is-reported" : "start-arrives"]();
  }

  const acts: Readonly<Record<Move, () => void>> = {
    "goes-on": goOn,
    appear: () => take({ type: "agent-sighted", ...netbooted, ...agent() }),
    "start-arrives": () => arrives(true),
    "answer-is-lost": () => arrives(false),
    "start-is-refused": () => {
      if (start === undefined || writes.has(start.operationId)) return;
      start = undefined;
      answer({ type: "write-failed", failure: failure("in-use"), outcome: "untouched" });
    },
    "start-is-lost": () => {
      if (start === undefined) return;
      start = undefined;
      unreachable(true);
    },
    erases() {
      const write = running();
      if (write === undefined) return;
      write.hasTouched = true;
      card = "erased";
    },
    finishes() {
      const write = running();
      if (write?.hasTouched !== true) return;
      write.state = "succeeded";
      card = "image";
    },
    fails: () => end("failed", "device-error"),
    "fetch-fails": () => end("failed", "fetch-failed"),
    "is-reported": () => {
      if (watched === undefined) return;
      const news = isAsked() ? told(watched) : undefined;
      if (news !== undefined) answer(news);
      else if (!isAsked()) unreachable(false);
    },
    "agent-dies": newRun,
    "node-reboots": () => {
      boot += 1;
      newRun();
    },
    "late-start-arrives": arrivesLate,
    passes: () => answer({ ...eventsAt(state.step)["preflight-passed"], agent: agent() }),
    refuses: () => answer({ type: "preflight-refused", failure: failure("too-small") }),
    admitted: () => take({ type: "write-admitted" }),
    "cancel-answered": () => {
      if (cancelled === undefined) return;
      const { operationId } = cancelled;
      if (!isAsked(cancelled.agent)) {
        unreachable(false);
        return;
      }
      const write = writes.get(operationId);
      if (write?.state === "running") write.state = "cancelled";
      if (write === undefined && cancelsAhead) refused.add(operationId);
      const news = told(operationId);
      if (news !== undefined) answer(news);
    },
    "cancel-lost": () => {
      if (cancelled !== undefined) unreachable(false);
    },
    retry: () => answer({ type: "retry-due" }),
    deadline: () => {
      now += 700_000;
      answer({ type: "deadline-passed" });
    },
    "controller-restarts": () => take({ type: "resumed" }),
    "operator-cancels": () => take({ type: "cancel-requested" }),
    "effect-fails": () => answer({ type: "effect-failed", failure: failure("internal") }),
  };

  take({ type: "started", before });
  for (const move of order) {
    if (hasEnded(state.phase)) break;
    acts[move]();
  }
  arrivesLate();
  check({ state, card, isRunning: running() !== undefined, wasAsked, target, hasProof });
}

const orders = fc.array(
  fc.oneof(
    { weight: 6, arbitrary: fc.constantFrom<Move>(...usual) },
    { weight: 40, arbitrary: fc.constantFrom<Move>("goes-on", "goes-on", "erases", "finishes", "is-reported") },
    { weight: 1, arbitrary: fc.constantFrom<Move>(...rare) },
  ),
  { maxLength: 80, size: "max" },
);

test("whatever happens, the verdict of an end is true of the card", () => {
  const seen = new Map<string, number>();
  fc.assert(
    fc.property(orders, (order) => {
      play(order, ({ state: { phase }, card, isRunning }) => {
        if (phase.name !== "failed" && phase.name !== "cancelled") return;
        seen.set(phase.verdict ?? "none", (seen.get(phase.verdict ?? "none") ?? 0) + 1);
        if (phase.verdict === "unknown") return;
        assert.equal(
          { untouched: "before", "no-system": "erased", unproved: "image" }[phase.verdict ?? "unproved"],
          card,
        );
        assert.equal(isRunning, false, "the card may change yet");
      });
    }),
    { numRuns: 4000 },
  );
  assert.deepEqual([...seen.keys()].sort(), ["no-system", "unknown", "unproved", "untouched"], "all were played");
});

test("whatever happens, nor is it untrue of agents that do not remember cancellations", () => {
  fc.assert(
    fc.property(orders, (order) => {
      play(
        order,
        ({ state: { phase }, isRunning }) => {
          if (phase.name !== "failed" && phase.name !== "cancelled") return;
          if (phase.verdict !== "unknown") assert.equal(isRunning, false, "the card may change yet");
        },
        false,
      );
    }),
    { numRuns: 2000 },
  );
});

test("whatever happens, an end before any write was asked for says untouched", () => {
  fc.assert(
    fc.property(orders, (order) => {
      play(order, ({ state: { phase }, wasAsked }) => {
        if (wasAsked || (phase.name !== "failed" && phase.name !== "cancelled")) return;
        assert.equal(phase.verdict, "untouched");
      });
    }),
    { numRuns: 2000 },
  );
});

test("whatever happens, an end that touched nothing leaves boot target and proof as they were, and any other the agent", () => {
  fc.assert(
    fc.property(orders, (order) => {
      play(order, ({ state: { phase }, target, hasProof }) => {
        if (phase.name !== "failed" && phase.name !== "cancelled") return;
        assert.equal(target, phase.verdict === "untouched" ? "local" : "agent");
        if (phase.verdict === "untouched") assert.ok(hasProof);
      });
    }),
    { numRuns: 2000 },
  );
});

test("whatever happens, no proof is voided before a write is about to be asked for", () => {
  fc.assert(
    fc.property(orders, (order) => {
      play(order, ({ state: { attempts }, hasProof }) => {
        if (attempts === 0) assert.ok(hasProof);
      });
    }),
    { numRuns: 1000 },
  );
});
