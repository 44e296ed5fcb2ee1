import { Failure } from "../../../proto/failure.ts";
import { configurationAtProof, mayBeConfigured, withTasksOf } from "./configuration.ts";
import type { Context } from "./context.ts";
import type { Effect } from "./effect.ts";
import { retryIn } from "./effects-on-entry.ts";
import { judgeProof } from "./judge-proof.ts";
import type { Sighting } from "./reimage-event.ts";
import { isSettled, type PhaseOf, type ReimageState } from "./reimage-state.ts";
import { amend, proveLate, type Step, stay } from "./step.ts";

/*
 * What a reimage still does after it has ended without a proof: a node that left its system for it, and whose card was
 * not touched, goes back into that system; and a card that holds its image may prove that late.
 */

type Ended = PhaseOf<"failed" | "cancelled">;

/** Whether anything that is heard of the node may still mean something to this reimage. */
export function isOpen({ phase }: ReimageState): boolean {
  // A late proof whose effects the end of the controller cut off, too: nobody else takes it up.
  if (mayBeConfigured(phase) || (phase.name === "proved" && !isSettled(phase))) return true;
  if (phase.name !== "failed" && phase.name !== "cancelled") return false;
  return phase.goingBack !== undefined || phase.late !== undefined;
}

/** An agent of the node showed itself after the end. */
export function sightedAfterwards(context: Context, phase: Ended, sighting: Sighting): Step {
  if (sighting.role === "resident")
    return phase.goingBack ? isBack(context, phase) : provesLate(context, phase, sighting);
  return leavesAgent(context, phase, sighting);
}

/** The proof is judged as it is in time: being late changes nothing about what the system says. */
function provesLate(context: Context, phase: Ended, sighting: Sighting): Step {
  const { state, now } = context;
  if (phase.late === undefined || sighting.bootId === phase.late.previousBootId) return stay(context);
  const verdict = judgeProof(state, phase.late, sighting, now);
  if (verdict instanceof Failure) return stay(context);
  const proved = proveLate(context, { proof: verdict, ...configurationAtProof(context, sighting) });
  return withTasksOf(context, proved, sighting);
}

/** It runs its own system, by whatever way it came there. */
function isBack(context: Context, phase: Ended): Step {
  return forgetsWay(context, phase, [note(`${context.state.nodeName} runs its own system again`)]);
}

/**
 * It is in the agent although its boot target is its own system again: it was there when the end came, or its boot had
 * been told so just before. One that was in that boot of the agent before the reimage began stays there.
 */
function leavesAgent(context: Context, phase: Ended, { bootId }: Sighting): Step {
  const { state, now, settings } = context;
  const { goingBack } = phase;
  if (goingBack === undefined || bootId === state.before?.agentBootId || bootId === goingBack.bootId)
    return stay(context);
  if (now > goingBack.until || goingBack.asked > settings.maxReturnsToAgent) return staysInAgent(context, phase);
  const { accepted: _, ...before } = goingBack;
  const next = { ...before, asked: goingBack.asked + 1, bootId, askUntil: now + settings.bootTimeoutMs };
  return amend(context, phase, { goingBack: next }, ask(bootId, settings.rebootRetryMs));
}

/** Asks once more, for as long as a boot takes. */
export function asksAgain(context: Context, phase: Ended): Step {
  const { now, settings } = context;
  const { bootId, askUntil = 0, accepted } = phase.goingBack ?? {};
  if (bootId === undefined) return stay(context);
  if (now <= askUntil) return { ...stay(context), effects: ask(bootId, settings.rebootRetryMs) };
  return accepted === true ? stay(context) : staysInAgent(context, phase);
}

/** It said that it would reboot. Whether it does is seen by what shows itself next. */
export function saysItGoes(context: Context, phase: Ended): Step {
  const { goingBack } = phase;
  if (goingBack === undefined || goingBack.accepted === true) return stay(context);
  const message = `${context.state.nodeName} was in the agent: rebooting it into its own system, which was not touched`;
  return amend(context, phase, { goingBack: { ...goingBack, accepted: true } }, [note(message)]);
}

/** The controller has restarted. */
export function resumeAfterwards({ state, settings }: Context, phase: Ended): readonly Effect[] {
  if (!isOpen(state)) return [];
  return [
    { type: "inspect-node" },
    ...(phase.goingBack?.bootId === undefined ? [] : [retryIn(settings.rebootRetryMs)]),
  ];
}

/** A boot that was asked to end before the controller was away is asked again for as long as a boot takes. */
export function withTimeToAsk({ now, settings }: Context, phase: Ended): Ended {
  const { goingBack } = phase;
  if (goingBack?.askUntil === undefined) return phase;
  return { ...phase, goingBack: { ...goingBack, askUntil: now + settings.bootTimeoutMs } };
}

function forgetsWay({ state }: Context, { goingBack: _, ...phase }: Ended, effects: readonly Effect[] = []): Step {
  return { state: { ...state, phase }, effects };
}

function staysInAgent(context: Context, phase: Ended): Step {
  const { nodeName } = context.state;
  const message =
    `${nodeName} stays in the agent although its boot target is its own system: reboot or power-cycle it by hand, and ` +
    "check its boot order";
  return forgetsWay(context, phase, [{ type: "record-event", event: "node-rebooted", severity: "warning", message }]);
}

function ask(bootId: string, retryMs: number): readonly Effect[] {
  return [{ type: "send-back", expectedBootId: bootId }, retryIn(retryMs)];
}

function note(message: string): Effect {
  return { type: "record-event", event: "reimage-phase-changed", severity: "info", message };
}
