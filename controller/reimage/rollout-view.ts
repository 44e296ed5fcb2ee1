import { currentTask } from "../../proto/system/tasks/report-tasks.ts";
import { type BootMoment, msBetween } from "../../proto/time/boot-moment.ts";
import type { RolloutState } from "../../proto/words/rollout-state.ts";
import { mayBeConfigured } from "./machine/configuration.ts";
import { type Configuration, hasEnded, type ReimageState, type RolloutRecord } from "./machine/reimage-state.ts";
import { describeWaiting } from "./machine/waiting.ts";
import type { Reimage, Rollout } from "./plan/rollout.ts";

/**
 * A rollout as operators see it; `waitingFor` says why nodes that are ready to write wait, and `now` until when one has
 * run that has not ended.
 */
export function viewRollout(
  record: RolloutRecord,
  reimages: readonly ReimageState[],
  { waitingFor, now }: { readonly waitingFor?: string | undefined; readonly now?: BootMoment } = {},
): Rollout {
  const tookMs = record.endedAt === undefined && now !== undefined ? msBetween(record.began, now) : record.tookMs;
  const { id, imageName, imageDigest, startedAt, endedAt, retryOf } = record;
  return {
    id,
    imageName,
    imageDigest,
    state: summarise(record, reimages),
    reimages: reimages.map((reimage) => viewReimage(reimage, waitingFor)),
    startedAt,
    ...(endedAt !== undefined && { endedAt }),
    ...(tookMs !== undefined && { tookMs }),
    ...(retryOf !== undefined && { retryOf }),
  };
}

function summarise(record: RolloutRecord, reimages: readonly ReimageState[]): RolloutState {
  if (record.endedAt === undefined) return "running";
  if (reimages.every(({ phase }) => phase.name === "proved" && !mayBeConfigured(phase))) return "succeeded";
  return record.cancelled ? "cancelled" : "failed";
}

function viewReimage(state: ReimageState, waitingFor: string | undefined): Reimage {
  const { id, nodeId, nodeName, phase, disk, progress, attempts, startedAt } = state;
  return {
    id,
    nodeId,
    nodeName,
    // Until the agent has released the disk, a cancelled write still counts as a write.
    phase: phase.name === "cancelling" ? "writing" : phase.name,
    attempts,
    startedAt,
    noResident: state.noResident !== undefined,
    full: state.full ?? false,
    ...(state.config && { config: state.config }),
    ...(phase.name === "waiting" && waitingFor !== undefined && { waitingFor }),
    ...waits(describeWaiting(state)),
    ...(!hasEnded(phase) &&
      state.before?.bootTarget.kind === "local" && { givesBack: state.before.bootTarget.imageDigest }),
    ...(disk !== undefined && { disk }),
    ...(progress !== undefined && { progress }),
    ...(phase.name === "proved" && { proof: phase.proof }),
    ...(phase.name === "proved" && phase.configuration && { configuration: viewConfiguration(phase.configuration) }),
    ...(phase.name === "proved" && phase.late === true && { verdict: "proved-late" as const }),
    ...((phase.name === "failed" || phase.name === "cancelled") && {
      failure: phase.failure,
      ...(phase.verdict && { verdict: phase.verdict }),
    }),
    ...(hasEnded(phase) && { endedAt: phase.endedAt, ...(state.tookMs !== undefined && { tookMs: state.tookMs }) }),
  };
}

function viewConfiguration({ state, report, failure, endedAt }: Configuration): NonNullable<Reimage["configuration"]> {
  const current = currentTask(report);
  return {
    state,
    tasks: report.tasks.length,
    succeeded: report.tasks.filter((task) => task.state === "succeeded").length,
    ...(current && { task: current.name }),
    ...(failure && { failure }),
    ...(endedAt !== undefined && { endedAt }),
  };
}

function waits(waitsFor: string | undefined): Pick<Reimage, "waitsFor"> {
  return waitsFor === undefined ? {} : { waitsFor };
}
