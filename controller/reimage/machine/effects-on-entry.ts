import type { Effect } from "./effect.ts";
import { hasBegun, type PhaseName, type ReimageState } from "./reimage-state.ts";
import type { ReimageSettings } from "./settings.ts";

/**
 * What has to be done because a reimage is in its phase: on entry, and again when the controller restarts in it.
 * Every one of these effects may therefore be carried out twice and is harmless the second time.
 */
export function effectsOnEntry(state: ReimageState, now: number, settings: ReimageSettings): readonly Effect[] {
  const { phase } = state;
  switch (phase.name) {
    case "queued":
      return [];
    case "preparing":
      return [{ type: "run-hooks" }];
    case "netbooting":
      return [
        deadline(phase, now),
        { type: "set-boot-target", target: "agent" },
        ...(phase.rebootAskedOf === undefined ? [] : [reboot(phase.rebootAskedOf)]),
        { type: "inspect-node" },
        retryIn(settings.rebootRetryMs),
      ];
    case "checking":
      return [deadline(phase, now), preflight(state, phase.agent)];
    case "waiting":
      return [];
    case "writing":
      return [
        deadline(phase, now),
        { type: "void-proof" },
        phase.started
          ? { type: "watch-write", operationId: phase.operationId }
          : {
              type: "start-write",
              agent: phase.agent,
              operationId: phase.operationId,
              disk: phase.disk,
              ...(phase.diskFirmware && { diskFirmware: phase.diskFirmware }),
              startedAt: phase.since,
            },
      ];
    case "cancelling":
      return [deadline(phase, now), { type: "cancel-write", operationId: phase.operationId }];
    case "rebooting":
      return [
        deadline(phase, now),
        { type: "set-boot-target", target: "local" },
        reboot(phase.previousBootId),
        retryIn(settings.rebootRetryMs),
      ];
    case "proving":
      return [deadline(phase, now), ...(phase.kernelFetchedAt === undefined ? [] : probe(settings))];
    case "proved":
      // An end without a proof had left the node to the agent.
      return [
        ...(phase.late === true ? [{ type: "set-boot-target", target: "local" } as const] : []),
        ...(phase.configuration?.state === "running" ? [deadline(phase.configuration, now)] : []),
        { type: "record-proof" },
        { type: "queue-hooks", of: "end" },
        { type: "settle", of: "end" },
      ];
    case "failed":
    case "cancelled":
      // A node whose turn never came runs what it ran before, and boots it again.
      if (!hasBegun(state)) return [{ type: "settle", of: "end" }];
      if (phase.verdict !== "untouched" || state.before === undefined)
        return [
          { type: "set-boot-target", target: "agent" },
          { type: "queue-hooks", of: "end" },
          { type: "settle", of: "end" },
        ];
      return [
        { type: "restore-node" },
        ...(phase.goingBack === undefined ? [] : [{ type: "inspect-node" } as const]),
        { type: "queue-hooks", of: "end" },
        { type: "settle", of: "end" },
      ];
  }
}

/** How long a phase may last without news, in milliseconds. */
export function patienceIn(phase: PhaseName, settings: ReimageSettings): number {
  const patience: Record<PhaseName, number> = {
    queued: Number.POSITIVE_INFINITY,
    preparing: Number.POSITIVE_INFINITY,
    netbooting: settings.bootTimeoutMs,
    checking: settings.bootTimeoutMs,
    waiting: Number.POSITIVE_INFINITY,
    writing: settings.stallTimeoutMs,
    cancelling: settings.cancelTimeoutMs,
    rebooting: settings.proveTimeoutMs,
    proving: settings.proveTimeoutMs,
    proved: Number.POSITIVE_INFINITY,
    failed: Number.POSITIVE_INFINITY,
    cancelled: Number.POSITIVE_INFINITY,
  };
  return patience[phase];
}

/** The phase's deadline. */
export function deadline(phase: { readonly deadlineAt: number }, now: number): Effect {
  return { type: "arm-timer", timer: "deadline", delayMs: Math.max(0, phase.deadlineAt - now) };
}

/** The timer after which the phase tries again. */
export function retryIn(delayMs: number): Effect {
  return { type: "arm-timer", timer: "retry", delayMs };
}

/** The disk that was once chosen stays the chosen one over every restart: the disk itself, not just its name. */
export function preflight(
  state: ReimageState,
  agent: { readonly bootId: string; readonly instanceId: string },
): Effect {
  const disk = state.requestedDisk ?? state.disk;
  const identity = state.diskIdentity;
  return {
    type: "preflight",
    agent,
    ...(disk !== undefined && { disk }),
    ...(identity !== undefined && { identity }),
  };
}

/** Tries whether the node answers, and again after a while. */
export function probe(settings: ReimageSettings): readonly Effect[] {
  return [{ type: "probe-node" }, retryIn(settings.retryDelayMs)];
}

/** Asks exactly this boot to end. */
export function reboot(expectedBootId: string): Effect {
  return { type: "reboot-node", expectedBootId };
}
