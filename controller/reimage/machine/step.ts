import type { Failure } from "../../../proto/failure.ts";
import type { DiskOutcome } from "../../../proto/words/disk-outcome.ts";
import type { CardVerdict } from "../../../proto/words/reimage-verdict.ts";
import type { AgentInstance } from "../../agents/agent-instance.ts";
import { recordOf } from "../plan/failure-record.ts";
import type { Context } from "./context.ts";
import type { Effect } from "./effect.ts";
import { effectsOnEntry, patienceIn } from "./effects-on-entry.ts";
import { restartsForEver } from "./giving-up.ts";
import { hasEnded, type Phase, type PhaseName, type PhaseOf, type ReimageState } from "./reimage-state.ts";
import { describeEntry } from "./sentences.ts";
import { describeVerdict, judgeCard } from "./verdict.ts";

/**
 * How long after an end that touched nothing a node in the agent is there because of that reimage, in milliseconds: it
 * had its boot config before the end, and a network may be away for longer than a boot takes.
 */
const wayBackMs = 24 * 3_600_000;

/** What a transition leads to. Effects are carried out in their order, after the state was saved. */
export interface Step {
  readonly state: ReimageState;
  readonly effects: readonly Effect[];
}

type Timeless<Name extends PhaseName> = Omit<PhaseOf<Name>, "since" | "deadlineAt" | "endedAt" | "settled">;
type Unproved = "verdict" | "late" | "goingBack" | "endedAt" | "settled";
type WorkName = "netbooting" | "checking" | "writing" | "cancelling" | "rebooting" | "proving";
/** A phase of the journey before it was given its times. */
type Work = { readonly [Name in WorkName]: Timeless<Name> }[WorkName];
type Changes = Partial<
  Pick<
    ReimageState,
    "disk" | "diskIdentity" | "attempts" | "rebootsIntoAgent" | "past" | "progress" | "holds" | "before"
  >
>;

/** Nothing changes. */
export function stay({ state }: Context): Step {
  return { state, effects: [] };
}

/** The same phase with other fields, and what is to be done about it. */
export function amend<P extends Phase>(
  context: Context,
  phase: P,
  fields: Partial<P>,
  effects: readonly Effect[] = [],
): Step {
  return { state: { ...context.state, phase: { ...phase, ...fields } }, effects };
}

/** Into a phase of the journey, with everything that has to be done on its entry. */
export function enter(context: Context, phase: Work, changes: Changes = {}): Step {
  const { state, now, settings } = context;
  if (state.step >= settings.maxSteps && phase.name !== "cancelling") {
    return fail(context, restartsForEver(context), abandonedWrite(state.phase));
  }
  const deadlineAt = now + patienceIn(phase.name, settings);
  return arrive(context, { ...phase, since: now, deadlineAt }, changes);
}

/** Out of the queue, to the hooks that come before anything is done to the node. */
export function prepare(context: Context, changes: Changes): Step {
  return arrive(context, { name: "preparing", since: context.now }, changes);
}

/** Into the queue of those that are ready to write. */
export function awaitTurn(context: Context, agent: AgentInstance, changes: Changes): Step {
  return arrive(context, { name: "waiting", since: context.now, agent }, changes);
}

/** Into the proved end. */
export function prove(context: Context, phase: Timeless<"proved">): Step {
  return arrive(context, { ...phase, endedAt: context.now, settled: false });
}

/** Out of an end without a proof into the proved one. */
export function proveLate(context: Context, phase: Pick<PhaseOf<"proved">, "proof" | "configuration">): Step {
  return arrive(context, { ...phase, name: "proved", late: true, endedAt: context.now, settled: false });
}

/**
 * Into the failed end. The effects given come before those of the entry; `outcome` is what the agent says of a write
 * that has ended (see judgeCard).
 */
export function fail(context: Context, failure: Failure, first: readonly Effect[] = [], outcome?: DiskOutcome): Step {
  const phase = { name: "failed", failure: recordOf(failure), ...unproved(context, outcome) } as const;
  const step = arrive(context, phase, pastAtEnd(context));
  return { ...step, effects: [...first, ...step.effects] };
}

/** Into the cancelled end; `detail` says what the operator should know of how it ended. */
export function endCancelled(context: Context, detail: string, outcome?: DiskOutcome): Step {
  const { state } = context;
  const about = unproved(context, outcome);
  const failure = {
    reason: "cancelled",
    message: `the reimage of ${state.nodeName} was cancelled ${detail}; ${describeVerdict(about.verdict, state)}`,
  } as const;
  return arrive(context, { name: "cancelled", failure, ...about }, pastAtEnd(context));
}

/** A boot that was asked to end may be heard of until it does, and says nothing of where the node goes. */
function pastAtEnd({ state: { phase, past } }: Context): Changes {
  if (phase.name !== "netbooting" || phase.rebootAskedOf === undefined) return {};
  return { past: [...past, phase.rebootAskedOf] };
}

/** What an end without a proof has to know of card and node. */
function unproved(
  { state, now }: Context,
  outcome: DiskOutcome | undefined,
): Pick<PhaseOf<"failed">, Unproved> & { readonly verdict: CardVerdict } {
  const verdict = judgeCard(state, outcome);
  const { phase, disk, before } = state;
  const previousBootId = "previousBootId" in phase ? phase.previousBootId : "agent" in phase ? phase.agent.bootId : "";
  const mayHoldImage = verdict === "unproved" || verdict === "unknown";
  const mayHaveLeft = phase.name !== "queued" && phase.name !== "preparing";
  const goesBack = verdict === "untouched" && mayHaveLeft && before?.bootTarget.kind === "local";
  return {
    verdict,
    ...(mayHoldImage && disk !== undefined && { late: { disk, previousBootId } }),
    ...(goesBack && { goingBack: { until: now + wayBackMs, asked: 0 } }),
    endedAt: now,
    settled: false,
  };
}

/** The past after `agent` was replaced by `successor`: its instance is over, and its boot if that is another. */
export function pastWithout(context: Context, agent: AgentInstance, successor: AgentInstance): readonly string[] {
  const over = [agent.instanceId, ...(agent.bootId === successor.bootId ? [] : [agent.bootId])];
  return [...new Set([...context.state.past, ...over.filter((id) => id !== successor.instanceId)])];
}

function arrive({ state, now, settings }: Context, phase: Phase, changes: Changes = {}): Step {
  const next: ReimageState = { ...state, ...changes, phase, step: state.step + 1 };
  const tell: Effect = { type: "record-event", ...describeEntry(next, state) };
  const entry = effectsOnEntry(next, now, settings);
  // What an ended reimage has to say comes last but for "settle", which says that all before it is done.
  return {
    state: next,
    effects: hasEnded(phase) ? [...entry.slice(0, -1), tell, ...entry.slice(-1)] : [tell, ...entry],
  };
}

/** An abandoned write is cancelled on a best-effort basis: nobody waits for it. */
export function abandonedWrite(phase: Phase): readonly Effect[] {
  if (phase.name !== "writing") return [];
  return [{ type: "cancel-write", operationId: phase.operationId, agent: phase.agent }];
}
