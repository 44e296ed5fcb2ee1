import { Failure } from "../../../proto/failure.ts";
import type { Progress, WriteStage } from "../../../proto/operation/progress.ts";
import type { DiskOutcome } from "../../../proto/words/disk-outcome.ts";
import type { AgentInstance } from "../../agents/agent-instance.ts";
import { resumeAfterwards, withTimeToAsk } from "./afterwards.ts";
import {
  configurationAtProof,
  isConfiguring,
  mayBeConfigured,
  resumeTasksWait,
  unsettledTasks,
  withTasksOf,
} from "./configuration.ts";
import type { Context } from "./context.ts";
import { deadline, effectsOnEntry, patienceIn, probe, retryIn } from "./effects-on-entry.ts";
import { keepsItsSystem, restartsWhileWriting, silentWhileWriting, writeStalled } from "./giving-up.ts";
import { judgeProof } from "./judge-proof.ts";
import type { ReimageEventOf, Sighting } from "./reimage-event.ts";
import { hasEnded, type Phase, type PhaseOf, type ReimageState } from "./reimage-state.ts";
import {
  abandonedWrite,
  amend,
  awaitTurn,
  endCancelled,
  enter,
  fail,
  pastWithout,
  prove,
  type Step,
  stay,
} from "./step.ts";
import { judgeCard } from "./verdict.ts";
import { aliveIn } from "./waiting.ts";
import { writeOperationId } from "./write-operation.ts";

/* The moves of the journey that take more than a line; transition.ts says when each is made. */

/** A netbooted agent has appeared: ask for its disks. The boot that was asked to end is over. */
export function check(context: Context, agent: Sighting, ended: string | undefined): Step {
  const past = ended === undefined ? context.state.past : [...context.state.past, ended];
  return enter(context, { name: "checking", agent: instanceOf(agent) }, { past });
}

/** Another agent, or another boot, has taken the place of the one that was asked. */
export function checkAgain(context: Context, phase: PhaseOf<"checking" | "waiting">, agent: Sighting): Step {
  const past = pastWithout(context, phase.agent, agent);
  return enter(context, { name: "checking", agent: instanceOf(agent) }, { past });
}

/**
 * News of an agent that was taken for gone: it is late and means nothing, unless that agent itself says that it is
 * there. Another board with this MAC address, or a broken cable, may have put it into the past while it went on writing.
 * After the write its boot has to end, and what it says until then counts for nothing anyway.
 */
export function doubt(context: Context, sighting: Sighting): Step {
  if (!isAwaited(context.state.phase, sighting)) return stay(context);
  return { state: context.state, effects: [{ type: "confirm-agent", sighting }] };
}

/** Whether an agent of that boot could carry the reimage on, if it is there. */
export function isAwaited(phase: Phase, { bootId }: AgentInstance): boolean {
  if (phase.name === "netbooting") return phase.rebootAskedOf !== bootId;
  return phase.name === "checking" || phase.name === "waiting" || phase.name === "writing";
}

/** The node runs an installed system: it has to reboot, which its boot target then leads into the agent. */
export function leaveSystem(context: Context, resident: Sighting, ended?: AgentInstance): Step {
  const { state, settings } = context;
  if (state.rebootsIntoAgent >= settings.maxRebootsIntoAgent) return fail(context, keepsItsSystem(context, resident));
  const { phase } = state;
  const asked = phase.name === "netbooting" && phase.rebootAskedOf !== undefined ? [phase.rebootAskedOf] : [];
  const past = ended === undefined ? [...state.past, ...asked] : pastWithout(context, ended, resident);
  const rebootsIntoAgent = state.rebootsIntoAgent + 1;
  return enter(
    context,
    { name: "netbooting", rebootAskedOf: resident.bootId, booting: false },
    { past, rebootsIntoAgent },
  );
}

/**
 * The disk may be erased. The agent that answered may have restarted since it was sighted, in the same boot. A node
 * that has to wait for its turn is checked again when its turn comes: disks can be exchanged in the meantime.
 */
export function writeInTurn(
  context: Context,
  phase: PhaseOf<"checking">,
  { agent, disk, identity, diskFirmware }: ReimageEventOf<"preflight-passed">,
): Step {
  if (agent.bootId !== phase.agent.bootId || context.state.past.includes(agent.instanceId)) {
    const obstacle = "the answer came from another boot than the one that registered";
    return amend(context, phase, { obstacle, mayWrite: false }, [retryIn(context.settings.retryDelayMs)]);
  }
  const { progress: _progress, ...state } = context.state;
  const attempts = state.attempts + 1;
  const operationId = writeOperationId(state.id, attempts);
  const diskIdentity = state.diskIdentity ?? identity;
  const past = agent.instanceId === phase.agent.instanceId ? state.past : pastWithout(context, phase.agent, agent);
  if (phase.mayWrite !== true) return awaitTurn({ ...context, state }, agent, { disk, diskIdentity, past });
  return enter(
    { ...context, state },
    {
      name: "writing",
      agent,
      disk,
      ...(diskFirmware && { diskFirmware }),
      operationId,
      started: false,
      graced: false,
    },
    { disk, diskIdentity, attempts, past },
  );
}

/**
 * The write is gone: all from the start, for a limited number of times. Without a successor in sight the agent that
 * lost it counts on; the next preflight shows which one it is.
 */
export function writeLost(context: Context, phase: PhaseOf<"writing">, successor?: Sighting): Step {
  const past = successor === undefined ? context.state.past : pastWithout(context, phase.agent, successor);
  if (context.state.attempts >= context.settings.maxAttempts)
    return fail(context, restartsWhileWriting(context, phase));
  return enter(context, { name: "netbooting", booting: false }, { past, ...cardAfter(context) });
}

/**
 * Only a failed fetch is worth another write: the network and the controller recover. Every other failure is about the
 * disk or the image and would recur, or worse, would not: a card that once returned different bytes than were written
 * to it has to be replaced, not hidden by a lucky second try.
 */
export function writeFailed(
  context: Context,
  phase: PhaseOf<"writing">,
  failure: Failure,
  outcome: DiskOutcome | undefined,
): Step {
  const { state, settings } = context;
  if (failure.reason !== "fetch-failed" || state.attempts >= settings.maxAttempts)
    return fail(context, failure, [], outcome);
  const again = enter(
    context,
    { name: "checking", agent: phase.agent, obstacle: failure.message },
    cardAfter(context, outcome),
  );
  if (hasEnded(again.state.phase)) return again;
  const effects = again.effects.filter((effect) => effect.type !== "preflight");
  return { ...again, effects: [...effects, retryIn(settings.fetchRetryDelayMs)] };
}

/** What has to be remembered of the card when a write is over. */
function cardAfter({ state }: Context, outcome?: DiskOutcome): Pick<ReimageState, "holds"> {
  const holds = judgeCard(state, outcome);
  return holds === "untouched" ? {} : { holds };
}

/** News of the write: the stall timeout restarts if anything has moved. */
export function progressed(context: Context, phase: PhaseOf<"writing">, progress: Progress): Step {
  const { state, now, settings } = context;
  const reached = withoutObstacle(phase);
  const patience = advanced(state.progress, progress)
    ? { deadlineAt: now + settings.stallTimeoutMs, graced: false }
    : {};
  return amend({ ...context, state: { ...state, progress } }, reached, patience, []);
}

/** The write has made no progress for too long. An unreachable node may be booting, which takes longer. */
export function writeSilent(context: Context, phase: PhaseOf<"writing">): Step {
  const { now, settings } = context;
  if (phase.obstacle === undefined) return fail(context, writeStalled(context, phase), abandonedWrite(phase));
  if (phase.graced) return fail(context, silentWhileWriting(context, phase), abandonedWrite(phase));
  const longer = { graced: true, deadlineAt: now + settings.bootTimeoutMs };
  return amend(context, phase, longer, [deadline(longer, now)]);
}

/** After the flip to local: is this the system that was installed? */
export function cameBack(context: Context, phase: PhaseOf<"rebooting" | "proving">, sighting: Sighting): Step {
  const { state, now, settings } = context;
  // The boot that has to end may still register or send heartbeats until it does.
  if (sighting.bootId === phase.previousBootId) return stay(context);
  if (sighting.role === "netboot" && phase.returnsToAgent < settings.maxReturnsToAgent) {
    const { disk, previousBootId } = phase;
    const returnsToAgent = phase.returnsToAgent + 1;
    const past = [...state.past, previousBootId];
    return enter(context, { name: "rebooting", disk, previousBootId: sighting.bootId, returnsToAgent }, { past });
  }
  // An agent that an untouched image happens to bring along knows nothing of this reimage.
  if (state.noResident !== undefined && sighting.role === "resident") return stay(context);
  const verdict = judgeProof(state, phase, sighting, now);
  if (verdict instanceof Failure) return fail(context, verdict);
  const proved = { name: "proved", proof: verdict, ...configurationAtProof(context, sighting) } as const;
  return withTasksOf(context, prove(context, proved), sighting);
}

/** After the flip to local: the node boots. */
export function bootsLocal(
  context: Context,
  phase: PhaseOf<"rebooting">,
  fetched: ReimageEventOf<"boot-file-fetched">,
): Step {
  if (fetched.at < phase.since) return stay(context);
  const { disk, previousBootId, returnsToAgent } = phase;
  const isKernel = fetchesKernel(context, fetched);
  const kernel = isKernel ? { kernelFetchedAt: fetched.at } : {};
  return enter(context, { name: "proving", disk, previousBootId, returnsToAgent, ...kernel });
}

/** Of an untouched image this is the first half of the weak proof: from now on the node has to answer. */
export function fetchesMore(
  context: Context,
  phase: PhaseOf<"proving">,
  fetched: ReimageEventOf<"boot-file-fetched">,
): Step {
  const alive = aliveIn(context, phase);
  if (!fetchesKernel(context, fetched)) return alive;
  const next = { ...phase, ...alive.state.phase, kernelFetchedAt: fetched.at } as PhaseOf<"proving">;
  return { state: { ...alive.state, phase: next }, effects: [...alive.effects, ...probe(context.settings)] };
}

function fetchesKernel({ state }: Context, { path, served }: ReimageEventOf<"boot-file-fetched">): boolean {
  // A firmware may put its own folder, named by serial number or MAC address, before every path.
  return state.noResident !== undefined && served === true && `/${path}`.endsWith(`/${state.noResident.kernelPath}`);
}

/** The second half of the weak proof. */
export function answers(context: Context, phase: PhaseOf<"proving">, how: string): Step {
  const { state, now } = context;
  if (state.noResident === undefined || phase.kernelFetchedAt === undefined) return stay(context);
  return prove(context, {
    name: "proved",
    proof: {
      kind: "weak",
      previousBootId: phase.previousBootId,
      imageDigest: state.imageDigest,
      kernelPath: state.noResident.kernelPath,
      answer: how,
      provedAt: now,
    },
  });
}

/** The time that the controller was away is not the node's fault: timeouts restart. */
export function resume(context: Context): Step {
  const { state, now, settings } = context;
  const { phase } = state;
  if (hasEnded(phase)) {
    if (phase.name === "proved") return resumeProved(context, phase);
    const ended = { ...state, phase: withTimeToAsk(context, phase) };
    if (!phase.settled) return { state: ended, effects: effectsOnEntry(ended, now, settings) };
    return { state: ended, effects: resumeAfterwards(context, phase) };
  }
  if (phase.name === "queued") return stay(context);
  if (phase.name === "preparing") return { state, effects: effectsOnEntry(state, now, settings) };
  if (phase.name === "waiting") return { state, effects: [{ type: "inspect-node" }] };
  // Before the restart, a start may have been sent.
  const known = phase.name === "writing" ? afterRestart(phase) : phase;
  const next = { ...state, phase: { ...known, deadlineAt: now + patienceIn(phase.name, settings) } };
  return { state: next, effects: [...effectsOnEntry(next, now, settings), { type: "inspect-node" }] };
}

function resumeProved(context: Context, proved: PhaseOf<"proved">): Step {
  const { now, settings } = context;
  const isWaiting = isConfiguring(proved);
  const { state } = isWaiting ? resumeTasksWait(context, proved) : context;
  const { phase } = state;
  const look = isWaiting || mayBeConfigured(proved) ? [{ type: "inspect-node" } as const] : [];
  if (phase.name !== "proved" || !phase.settled)
    return { state, effects: [...effectsOnEntry(state, now, settings), ...unsettledTasks(proved), ...look] };
  const wait = phase.configuration?.state === "running" ? [deadline(phase.configuration, now)] : [];
  return { state, effects: [...wait, ...unsettledTasks(proved), ...look] };
}

function afterRestart({ unsent, ...phase }: PhaseOf<"writing">): PhaseOf<"writing"> {
  return unsent === true ? phase : doubted(phase);
}

/** Repeats the phase's entry effects without touching the timers. */
export function repeatEntry({ state, now, settings }: Context): Step {
  return { state, effects: effectsOnEntry(state, now, settings).filter((effect) => effect.type !== "arm-timer") };
}

/** Once the start may have been sent without an answer, no later run of the agent can say that nothing came of it. */
export function doubted(phase: PhaseOf<"writing">, unasked = false): PhaseOf<"writing"> {
  if (phase.started) return phase;
  return unasked ? { ...phase, unsent: true } : { ...phase, doubtful: true };
}

/** Repeats the start of a write, or watches it again. */
export function repeatStart(context: Context, phase: PhaseOf<"writing">): Step {
  const { unsent: _, ...sent } = phase;
  return repeatEntry({ ...context, state: { ...context.state, phase: sent } });
}

/** A write that was never asked for needs no stop. */
export function stopWrite(context: Context, phase: PhaseOf<"writing">): Step {
  const { agent, operationId, started, doubtful } = phase;
  if (phase.unsent === true && doubtful !== true) return endCancelled(context, "before its write was started");
  return enter(context, { name: "cancelling", agent, operationId, started, ...(doubtful && { doubtful }) });
}

/** The agent answered again. */
export function withoutObstacle({ obstacle: _obstacle, ...phase }: PhaseOf<"writing">): PhaseOf<"writing"> {
  return phase;
}

/**
 * Whether the agent has done anything in between. The counts stand still while a card is compared that is as it should
 * be, or is read a second time: then the stages tell.
 */
function advanced(before: Progress | undefined, after: Progress): boolean {
  return (
    before === undefined ||
    before.phase !== after.phase ||
    (["read", "written", "skipped", "verified"] as const).some((count) => after[count].done !== before[count].done) ||
    after.stages.some(({ stage, bytes }) => bytes !== bytesOfStage(before, stage))
  );
}

function bytesOfStage({ stages }: Progress, name: WriteStage): number | undefined {
  return stages.find(({ stage }) => stage === name)?.bytes;
}

function instanceOf({ bootId, instanceId }: Sighting): AgentInstance {
  return { bootId, instanceId };
}
