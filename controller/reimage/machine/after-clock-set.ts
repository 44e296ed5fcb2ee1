import type { Phase, ReimageState } from "./reimage-state.ts";

/**
 * The same reimage after the controller's clock was set `byMs` milliseconds forward (negative: back): every time that
 * later ones are compared with moves along, so that nothing takes longer or shorter by it. Dates of record stay, and so
 * does the beginning of a write, which makes repetitions of its start equal.
 */
export function afterClockSet(state: ReimageState, byMs: number): ReimageState {
  const moved = (at: number): number => at + byMs;
  const { bootStage, leasedAt } = state;
  return {
    ...state,
    phase: withTimesMoved(state.phase, moved),
    ...(bootStage && { bootStage: { ...bootStage, at: moved(bootStage.at) } }),
    ...(leasedAt !== undefined && { leasedAt: moved(leasedAt) }),
  };
}

function withTimesMoved(phase: Phase, moved: (at: number) => number): Phase {
  switch (phase.name) {
    case "queued":
      return phase;
    case "proved": {
      const { configuration } = phase;
      if (configuration === undefined) return phase;
      return { ...phase, configuration: { ...configuration, deadlineAt: moved(configuration.deadlineAt) } };
    }
    case "preparing":
      // A date of record, which the hooks are told: nothing is compared with it.
      return phase;
    case "waiting":
      return { ...phase, since: moved(phase.since) };
    case "checking":
    case "writing":
    case "cancelling":
      return { ...phase, deadlineAt: moved(phase.deadlineAt) };
    case "netbooting":
    case "rebooting":
      return { ...phase, since: moved(phase.since), deadlineAt: moved(phase.deadlineAt) };
    case "proving": {
      const { kernelFetchedAt } = phase;
      const times = { since: moved(phase.since), deadlineAt: moved(phase.deadlineAt) };
      return { ...phase, ...times, ...(kernelFetchedAt !== undefined && { kernelFetchedAt: moved(kernelFetchedAt) }) };
    }
    case "failed":
    case "cancelled": {
      const { goingBack } = phase;
      if (goingBack === undefined) return phase;
      const { until, askUntil } = goingBack;
      const times = { until: moved(until), ...(askUntil !== undefined && { askUntil: moved(askUntil) }) };
      return { ...phase, goingBack: { ...goingBack, ...times } };
    }
  }
}
