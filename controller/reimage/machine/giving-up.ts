import { Failure } from "../../../proto/failure.ts";
import type { Context } from "./context.ts";
import type { Sighting } from "./reimage-event.ts";
import type { PhaseOf } from "./reimage-state.ts";
import { describeLastSeen, describeSpan } from "./sentences.ts";

/* Why a reimage fails, in words: what it waited for, what was last seen, and what to do. */

/** It never came up in the agent. */
export function notInAgent(context: Context, phase: PhaseOf<"netbooting">): Failure {
  const { state, now } = context;
  const asked =
    phase.rebootAskedOf === undefined
      ? ""
      : `, although its installed system was asked to reboot${because(phase.obstacle)}`;
  return new Failure(
    "node-silent",
    `${state.nodeName} did not netboot into the agent within ${describeWait(context)}${asked}; ` +
      `${describeLastSeen(state, now)}; power-cycle it, and check its power, its network and its ` +
      "boot order",
  );
}

/** Its MAC address is another board's now. */
export function anotherBoard({ state }: Context, known: string, sighted: string): Failure {
  return new Failure(
    "wrong-system",
    `the board with the serial number ${sighted} has the MAC address of ${state.nodeName} now, whose serial number is ` +
      `${known}: this reimage does not go on there; see "controller nodes"`,
    { expected: `serial number ${known}`, found: sighted },
  );
}

/** It comes back in its installed system instead of the agent. */
export function keepsItsSystem({ state }: Context, resident: Sighting): Failure {
  return new Failure(
    "wrong-system",
    `${state.nodeName} was rebooted ${state.rebootsIntoAgent} times to netboot into the agent and came back in its ` +
      `installed system on ${resident.rootDevice} each time; put the network before that disk in its boot order`,
    { expected: "netbooted agent", found: resident.rootDevice },
  );
}

/** It came up in the agent and fell silent before its disks were known. */
export function agentSilent({ state, now, settings }: Context, phase: PhaseOf<"checking">): Failure {
  return new Failure(
    "node-silent",
    `the agent of ${state.nodeName} registered but could not list its disks for ` +
      `${describeSpan(settings.bootTimeoutMs)}${because(phase.obstacle)}; ${describeLastSeen(state, now)}`,
  );
}

/** It restarts during every write. */
export function restartsWhileWriting({ state }: Context, phase: PhaseOf<"writing">): Failure {
  return new Failure(
    "node-silent",
    `${state.nodeName} or its agent restarted during each of ${state.attempts} writes to ${phase.disk}; ` +
      "check its power supply and the agent's log",
  );
}

/** The write makes no progress. */
export function writeStalled({ state, settings }: Context, phase: PhaseOf<"writing">): Failure {
  return new Failure(
    "device-error",
    `the write to ${phase.disk} of ${state.nodeName} made no progress for ${describeSpan(settings.stallTimeoutMs)}; ` +
      "the card is likely worn out: replace it",
  );
}

/** It fell silent during the write. */
export function silentWhileWriting({ state, now, settings }: Context, phase: PhaseOf<"writing">): Failure {
  const spanMs = settings.stallTimeoutMs + settings.bootTimeoutMs;
  return new Failure(
    "node-silent",
    `${state.nodeName} was silent for ${describeSpan(spanMs)} during the write to ${phase.disk}` +
      `${because(phase.obstacle)}; ${describeLastSeen(state, now)}; check its power and its network`,
  );
}

/** It never came back after the flip to local. */
export function notBack(context: Context, obstacle?: string): Failure {
  const { state, now } = context;
  // A boot file that it had asked for since would have ended that phase.
  const unasked =
    state.phase.name === "rebooting"
      ? "; if it is running, it boots its card without asking the network: check its BOOT_ORDER (with NET_BOOT_MAX_RETRIES=-1) and bootProfile.cardFirmware"
      : "";
  return new Failure(
    "node-silent",
    `${state.nodeName} did not come back from its reboot within ${describeWait(context)}` +
      `${because(obstacle)}; ${describeLastSeen(state, now)}; ` +
      `power-cycle it and check its console${unasked}`,
  );
}

/** It began to boot from its disk, and the proof did not come. */
export function notProved(context: Context, { kernelFetchedAt }: PhaseOf<"proving">): Failure {
  const { state, now } = context;
  if (state.noResident === undefined) return notBack(context);
  const within = describeWait(context);
  const seen =
    kernelFetchedAt === undefined
      ? `began to boot but did not fetch the kernel of ${state.imageName} within ${within}`
      : `fetched the kernel of ${state.imageName} but did not answer over TCP at its address within ${within}`;
  return new Failure(
    "node-silent",
    `${state.nodeName} ${seen}; ${describeLastSeen(state, now)}; its image has no resident agent, so nothing in it can ` +
      "report more; check its console, and power-cycle it",
    kernelFetchedAt === undefined ? { expected: state.noResident.kernelPath, found: "not fetched" } : {},
  );
}

/** It restarts again and again, whatever it is asked to do. */
export function restartsForEver({ state }: Context): Failure {
  return new Failure(
    "node-silent",
    `${state.nodeName} restarted so often that its reimage was abandoned; check its power supply and its log`,
  );
}

/** How long it was waited for, and whether signs of life had extended that. */
function describeWait({ state, settings }: Context): string {
  const { phase, bootStage, leasedAt = 0 } = state;
  const timeoutMs = phase.name === "netbooting" ? settings.bootTimeoutMs : settings.proveTimeoutMs;
  if (!("deadlineAt" in phase)) return describeSpan(timeoutMs);
  const span = describeSpan(phase.deadlineAt - phase.since);
  const wasAlive = Math.max(bootStage?.at ?? 0, leasedAt) > phase.since;
  if (!wasAlive || phase.deadlineAt - phase.since <= timeoutMs) return span;
  return `${span}, which its signs of life had extended (reimage.longestBootMs is the limit)`;
}

function because(obstacle: string | undefined): string {
  return obstacle === undefined ? "" : ` (${obstacle})`;
}
