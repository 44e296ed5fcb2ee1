import { Failure } from "../../../proto/failure.ts";
import type { AgentInstance } from "../../agents/agent-instance.ts";
import { areDifferentBoards } from "../../nodes/judge-board.ts";
import { asksAgain, saysItGoes, sightedAfterwards } from "./afterwards.ts";
import { settles, tasksGivenUp, tasksSighted, tasksSilent } from "./configuration.ts";
import type { Context } from "./context.ts";
import { deadline, preflight, probe, reboot, retryIn } from "./effects-on-entry.ts";
import { agentSilent, anotherBoard, notBack, notInAgent, notProved } from "./giving-up.ts";
import * as moves from "./moves.ts";
import type { ReimageEvent, ReimageEventOf, ReimageEventType } from "./reimage-event.ts";
import { hasEnded, type PhaseName, type PhaseOf, type ReimageState } from "./reimage-state.ts";
import { longestTimeout, type ReimageSettings } from "./settings.ts";
import { abandonedWrite, amend, endCancelled, enter, fail, prepare, type Step, stay } from "./step.ts";
import { aliveIn } from "./waiting.ts";

/*
 * One node's way from "running anything" to "proved to run the image":
 *
 *   queued
 *     │ its turn has come; a node without before-reimage hooks goes straight on
 *     ▼
 *   preparing      the node still runs what it ran, so that a hook can drain it
 *     │ all of its before-reimage hooks have succeeded
 *     ▼
 *   netbooting ◀─┬─ resident agent sighted, here, while checking or waiting: ask it to reboot, at most twice
 *     │          └─ write lost, or another agent sighted while writing: at most 5 attempts
 *     │ netbooted agent sighted
 *     ▼
 *   checking ◀───┬─ another netbooted agent sighted, here or while waiting: ask that one
 *     │  │       └─ the write could not fetch the image: again after a pause, at most 5 attempts
 *     │  └─ the disk may be erased, and others have the uplink ──▶ waiting ── its turn has come ──▶ checking
 *     │ the disk may be erased, and it is its turn to write
 *     ▼
 *   writing ────── cancel requested ──▶ cancelling ── the agent has let go of the disk ──▶ CANCELLED
 *     │ write succeeded: the boot target becomes local here and nowhere else
 *     ▼
 *   rebooting ◀─── netbooted agent of a new boot sighted, here or while proving: its boot config was from
 *     │            just before the flip; ask it to reboot, once
 *     │ boot file fetched
 *     ▼
 *   proving
 *     │ resident agent of a new boot sighted, with the stamp of this reimage; also straight from rebooting.
 *     │ Of an untouched image (--no-resident) instead: its kernel fetched, and then the node answers
 *     ▼
 *   PROVED
 *
 * Whatever shows that a node boots gives it the time of a boot again, up to a bound (waiting.ts).
 *
 * From every phase: deadline passed (preparing and waiting have none), a hook that failed, refusal, wrong system or failed effect ──▶ FAILED; cancel requested ──▶ CANCELLED;
 * both with the boot target that was before as long as no write has touched the card (verdict.ts), and agent after that.
 * What still happens then (afterwards.ts): a node that left its system for a reimage that did not touch it goes back;
 * and FAILED or CANCELLED ── resident agent of a new boot sighted, with the stamp of this reimage ──▶ PROVED, late.
 * A proved system may have tasks of its first boot, for which the rollout waits (configuration.ts): PROVED stays PROVED.
 * The ends absorb every other event.
 *
 * Entering a phase has effects (effects-on-entry.ts), which are repeated when the controller restarts in it.
 */

/** After an end without a proof. */
const afterwards: Journey["failed"] & Journey["cancelled"] = {
  settled: (phase, _event, context) => amend(context, phase, { settled: true }),
  "agent-sighted": (phase, sighting, context) => sightedAfterwards(context, phase, sighting),
  "reboot-accepted": (phase, _event, context) => saysItGoes(context, phase),
  "retry-due": (phase, _event, context) => asksAgain(context, phase),
};

/** What each phase does about each event. An event that a phase does not name changes nothing in it. */
const journey: Journey = {
  queued: {
    started: (_phase, { before, hooked }, context) =>
      hooked === true
        ? prepare(context, { ...(before && { before }) })
        : enter(context, { name: "netbooting", booting: false }, before && { before }),
    "cancel-requested": (_phase, _event, context) => endCancelled(context, "before it began"),
  },

  preparing: {
    "hooks-passed": (_phase, _event, context) => enter(context, { name: "netbooting", booting: false }),
    "hooks-refused": (_phase, { failure }, context) => fail(context, failure),
    "cancel-requested": (_phase, _event, context) =>
      endCancelled(context, "while its before-reimage hooks ran, which were ended"),
  },

  netbooting: {
    "agent-sighted": (phase, sighting, context) => {
      if (sighting.bootId === phase.rebootAskedOf) return stay(context);
      if (sighting.role === "resident") return moves.leaveSystem(context, sighting);
      return moves.check(context, sighting, phase.rebootAskedOf);
    },
    "boot-file-fetched": (phase, _event, context) => aliveIn(context, { ...phase, booting: true }),
    "address-leased": (phase, _event, context) => aliveIn(context, phase),
    "reboot-refused": (phase, { failure }, context) => amend(context, phase, { obstacle: failure.message }),
    "reboot-unreachable": (phase, { failure }, context) => amend(context, phase, { obstacle: failure.message }),
    "retry-due": (phase, _event, context) =>
      amend(context, phase, {}, [
        phase.rebootAskedOf === undefined ? { type: "inspect-node" } : reboot(phase.rebootAskedOf),
        retryIn(context.settings.rebootRetryMs),
      ]),
    "deadline-passed": (phase, _event, context) => fail(context, notInAgent(context, phase)),
    "cancel-requested": (_phase, _event, context) => endCancelled(context, betweenWrites(context)),
  },

  checking: {
    "agent-sighted": (phase, sighting, context) => {
      if (sighting.instanceId === phase.agent.instanceId) return stay(context);
      if (sighting.role === "resident") return moves.leaveSystem(context, sighting, phase.agent);
      return moves.checkAgain(context, phase, sighting);
    },
    "write-admitted": (phase, _event, context) => amend(context, phase, { mayWrite: true }),
    "preflight-passed": (phase, passed, context) => moves.writeInTurn(context, phase, passed),
    "preflight-refused": (_phase, { failure }, context) => fail(context, failure),
    // Others may write while it is not there.
    "agent-unreachable": (phase, { failure }, context) =>
      amend(context, phase, { obstacle: failure.message, mayWrite: false }, [retryIn(context.settings.retryDelayMs)]),
    "retry-due": (phase, _event, context) => amend(context, phase, {}, [preflight(context.state, phase.agent)]),
    "deadline-passed": (phase, _event, context) => fail(context, agentSilent(context, phase)),
    "cancel-requested": (_phase, _event, context) => endCancelled(context, betweenWrites(context)),
  },

  waiting: {
    "write-admitted": ({ agent }, _event, context) => enter(context, { name: "checking", agent, mayWrite: true }),
    "agent-sighted": (phase, sighting, context) => {
      if (sighting.instanceId === phase.agent.instanceId) return stay(context);
      if (sighting.role === "resident") return moves.leaveSystem(context, sighting, phase.agent);
      return moves.checkAgain(context, phase, sighting);
    },
    "cancel-requested": (_phase, _event, context) => endCancelled(context, betweenWrites(context)),
  },

  writing: {
    "agent-sighted": (phase, sighting, context) => {
      if (sighting.instanceId === phase.agent.instanceId) return stay(context);
      return moves.writeLost(context, phase, sighting);
    },
    "write-started": (phase, { operationId = phase.operationId }, context) =>
      amend(context, moves.withoutObstacle(phase), { started: true, operationId }),
    "write-progressed": (phase, { progress }, context) => moves.progressed(context, phase, progress),
    "write-succeeded": ({ disk, agent }, { growth }, context) =>
      enter(context, {
        name: "rebooting",
        disk,
        previousBootId: agent.bootId,
        returnsToAgent: 0,
        ...(growth !== undefined && { growth }),
      }),
    "write-failed": (phase, { failure, outcome }, context) => moves.writeFailed(context, phase, failure, outcome),
    "write-cancelled": ({ disk }, { outcome }, context) =>
      fail(context, new Failure("cancelled", `the write to ${disk} was cancelled directly at the agent`), [], outcome),
    "write-lost": (phase, _event, context) => moves.writeLost(context, phase),
    "agent-unreachable": (phase, { failure, unasked }, context) =>
      amend(context, moves.doubted(phase, unasked), { obstacle: failure.message }, [
        retryIn(context.settings.retryDelayMs),
      ]),
    "retry-due": (phase, _event, context) => moves.repeatStart(context, phase),
    "deadline-passed": (phase, _event, context) => moves.writeSilent(context, phase),
    "cancel-requested": (phase, _event, context) => moves.stopWrite(context, phase),
  },

  cancelling: {
    "agent-sighted": (phase, sighting, context) => {
      if (sighting.instanceId === phase.agent.instanceId) return stay(context);
      return endCancelled(context, "during the write, while its agent restarted");
    },
    "write-cancelled": (_phase, { outcome }, context) => endCancelled(context, "during the write", outcome),
    "write-succeeded": (_phase, _event, context) => endCancelled(context, "just after the write had finished", "image"),
    "write-failed": (_phase, { failure, outcome }, context) =>
      endCancelled(context, `when its write failed: ${failure.message}`, outcome),
    "write-lost": (phase, { isRefusedNow }, context) => {
      if (phase.started) return endCancelled(context, "after its agent had forgotten the write");
      if (isRefusedNow === true) return endCancelled(context, "before its write began", "untouched");
      // The cancellation may have overtaken the start: ask again a moment later.
      return amend(context, phase, { started: true }, [retryIn(context.settings.retryDelayMs)]);
    },
    "agent-unreachable": (phase, _event, context) =>
      amend(context, phase, {}, [retryIn(context.settings.retryDelayMs)]),
    "retry-due": (_phase, _event, context) => moves.repeatEntry(context),
    "deadline-passed": (_phase, _event, context) =>
      endCancelled(context, "but its agent did not answer: the write may still be running there"),
  },

  rebooting: {
    "agent-sighted": (phase, sighting, context) => moves.cameBack(context, phase, sighting),
    "boot-file-fetched": (phase, fetched, context) => moves.bootsLocal(context, phase, fetched),
    "address-leased": (phase, _event, context) => aliveIn(context, phase),
    // That the node will not, or that its answer was lost, is not an end: what counts is that it comes back.
    "reboot-refused": (phase, { failure }, context) => amend(context, phase, { obstacle: failure.message }),
    "reboot-unreachable": (phase, { failure }, context) => amend(context, phase, { obstacle: failure.message }),
    "retry-due": (phase, _event, context) =>
      amend(context, phase, {}, [reboot(phase.previousBootId), retryIn(context.settings.rebootRetryMs)]),
    "deadline-passed": (phase, _event, context) => fail(context, notBack(context, phase.obstacle)),
    "cancel-requested": (_phase, _event, context) => endCancelled(context, "after its write"),
  },

  proving: {
    "agent-sighted": (phase, sighting, context) => moves.cameBack(context, phase, sighting),
    "boot-file-fetched": (phase, fetched, context) => moves.fetchesMore(context, phase, fetched),
    "address-leased": (phase, _event, context) => aliveIn(context, phase),
    "retry-due": (phase, _event, context) => amend(context, phase, {}, probe(context.settings)),
    "node-answered": (phase, { how }, context) => moves.answers(context, phase, how),
    "deadline-passed": (phase, _event, context) => fail(context, notProved(context, phase)),
    "cancel-requested": (_phase, _event, context) => endCancelled(context, "before its proof"),
  },

  proved: {
    settled: (phase, { of }, context) => settles(context, phase, of),
    "agent-sighted": (phase, sighting, context) => tasksSighted(context, phase, sighting),
    "deadline-passed": (phase, _event, context) => tasksSilent(context, phase),
    "cancel-requested": (phase, _event, context) => tasksGivenUp(context, phase),
  },
  failed: afterwards,
  cancelled: afterwards,
};

/**
 * The next state of a reimage and what has to be done about it. Pure and total: any event may come in any state, twice,
 * late or never, and nothing is thrown. The state has to be saved before the effects are carried out.
 *
 * `now` in milliseconds since the epoch.
 */
export function transition(state: ReimageState, event: ReimageEvent, now: number, settings: ReimageSettings): Step {
  const context: Context = { state: withSerial(withBootStage(state, event), event), now, settings };
  const { phase } = context.state;
  if ("step" in event && event.step !== state.step) return stay(context);
  const known = state.before?.serial ?? "";
  if (event.type === "agent-sighted" && areDifferentBoards(known, event.serial ?? "")) {
    if (hasEnded(phase) || phase.name === "queued") return stay(context);
    return fail(context, anotherBoard(context, known, event.serial ?? ""), abandonedWrite(phase));
  }
  if (event.type === "agent-sighted" && isPast(state, event)) {
    const { type: _, ...sighting } = event;
    return moves.doubt(context, sighting);
  }
  if (event.type === "agent-confirmed") {
    const { sighting } = event;
    if (!isPast(state, sighting) || !moves.isAwaited(phase, sighting)) return stay(context);
    const past = state.past.filter((id) => id !== sighting.bootId && id !== sighting.instanceId);
    return transition({ ...state, past }, { type: "agent-sighted", ...sighting }, now, settings);
  }
  if (event.type === "resumed") return moves.resume(context);
  if (event.type === "deadline-passed" && "deadlineAt" in phase && now < phase.deadlineAt) {
    // Further away than any timeout: the clock was set back. The wait must not last until it has caught up.
    const later = { deadlineAt: Math.min(phase.deadlineAt, now + longestTimeout(settings)) };
    return amend(context, phase, later, [deadline(later, now)]);
  }
  if (event.type === "effect-failed" && !hasEnded(phase)) {
    if (phase.name !== "cancelling") return fail(context, event.failure, abandonedWrite(phase));
    return endCancelled(context, `but its write could not be stopped: ${event.failure.message}`);
  }
  const react = journey[phase.name][event.type] as Reaction<PhaseName, ReimageEventType> | undefined;
  return react === undefined ? stay(context) : react(phase, event, context);
}

type Reaction<Name extends PhaseName, Type extends ReimageEventType> = (
  phase: PhaseOf<Name>,
  event: ReimageEventOf<Type>,
  context: Context,
) => Step;

type Journey = {
  readonly [Name in PhaseName]: { readonly [Type in ReimageEventType]?: Reaction<Name, Type> };
};

/** Whatever the phase, the last boot file is what an operator wants to know about a silent node. */
function withBootStage(state: ReimageState, event: ReimageEvent): ReimageState {
  if (hasEnded(state.phase)) return state;
  if (event.type === "address-leased") return { ...state, leasedAt: event.at };
  if (event.type !== "boot-file-fetched") return state;
  const { path, at, firstBoot } = event;
  return { ...state, bootStage: { path, at, ...(firstBoot && { firstBoot }) } };
}

/** A reimage is about one board: the first that says which one it is. */
function withSerial(state: ReimageState, event: ReimageEvent): ReimageState {
  if (event.type !== "agent-sighted" || !event.serial || hasEnded(state.phase)) return state;
  if (state.before === undefined || state.before.serial !== undefined) return state;
  return { ...state, before: { ...state.before, serial: event.serial } };
}

/** Reports of boots and agents that are known to be over arrive late or twice and mean nothing. */
function isPast(state: ReimageState, { bootId, instanceId }: AgentInstance): boolean {
  return state.past.includes(bootId) || state.past.includes(instanceId);
}

function betweenWrites({ state }: Context): string {
  return state.attempts === 0 ? "before anything was written" : "between two writes";
}
