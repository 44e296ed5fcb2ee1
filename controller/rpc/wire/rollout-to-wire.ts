import { durationToWire } from "../../../proto/duration.ts";
import { Failure, failureToWire } from "../../../proto/failure.ts";
import type { Duration } from "../../../proto/gen/google/protobuf/duration.ts";
import type { LastReimage, PlanRolloutResponse } from "../../../proto/gen/pallet/v1/controller.ts";
import type { Failure as WireFailure } from "../../../proto/gen/pallet/v1/failure.ts";
import * as wire from "../../../proto/gen/pallet/v1/rollout.ts";
import { progressToWire } from "../../../proto/operation/progress-codec.ts";
import { configurationStates } from "../../../proto/words/configuration-state.ts";
import { proofKinds } from "../../../proto/words/proof-kind.ts";
import { reimagePhases } from "../../../proto/words/reimage-phase.ts";
import { type ReimageVerdict, reimageVerdicts } from "../../../proto/words/reimage-verdict.ts";
import { rolloutStates } from "../../../proto/words/rollout-state.ts";
import type { FailureRecord, Proof, Reimage, ReimagePlan, Rollout, RolloutPlan } from "../../reimage/plan/rollout.ts";
import type { SeenDisk } from "../../reimage/plan/seen-disk.ts";
import { configToWire } from "./config-to-wire.ts";
import { imageToWire } from "./image-to-wire.ts";

/** Converts a rollout to the wire. */
export function rolloutToWire(rollout: Rollout): wire.Rollout {
  return {
    rolloutId: rollout.id,
    imageName: rollout.imageName,
    imageDigest: rollout.imageDigest,
    state: rolloutStates.toWire(rollout.state),
    reimages: rollout.reimages.map(reimageToWire),
    startedAt: new Date(rollout.startedAt),
    endedAt: optionalDate(rollout.endedAt),
    retryOf: rollout.retryOf ?? "",
    took: optionalDuration(rollout.tookMs),
  };
}

/** Converts a plan to the wire. */
export function rolloutPlanToWire({ image, plans }: RolloutPlan, onlyChanged: boolean): PlanRolloutResponse {
  return { image: imageToWire(image), plans: plans.map(reimagePlanToWire), onlyChanged };
}

function seenDiskToWire({ nodeId, disk, config = "" }: SeenDisk): wire.SeenDisk {
  if (disk === undefined)
    return { nodeId, config, disk: "", sizeBytes: 0n, model: "", serial: "", cid: "", content: [] };
  const { sizeBytes, ...words } = disk.identity;
  return { nodeId, config, disk: disk.path, sizeBytes: BigInt(sizeBytes), ...words, content: [...disk.content] };
}

function reimageToWire(reimage: Reimage): wire.Reimage {
  return {
    reimageId: reimage.id,
    nodeId: reimage.nodeId,
    nodeName: reimage.nodeName,
    phase: reimagePhases.toWire(reimage.phase),
    disk: reimage.disk ?? "",
    progress: reimage.progress && progressToWire(reimage.progress),
    attempts: reimage.attempts,
    failure: reimage.failure && failureRecordToWire(reimage.failure),
    proof: reimage.proof && proofToWire(reimage.proof),
    configuration: reimage.configuration && configurationToWire(reimage.configuration),
    startedAt: new Date(reimage.startedAt),
    endedAt: optionalDate(reimage.endedAt),
    noResident: reimage.noResident,
    full: reimage.full,
    waitingFor: reimage.waitingFor ?? "",
    verdict: verdictToWire(reimage.verdict),
    waitsFor: reimage.waitsFor ?? "",
    took: optionalDuration(reimage.tookMs),
    config: reimage.config && configToWire(reimage.config),
  };
}

/** Converts a node's latest reimage. */
export function lastReimageToWire({ id, imageName }: Rollout, reimage: Reimage): LastReimage {
  return {
    rolloutId: id,
    imageName,
    phase: reimagePhases.toWire(reimage.phase),
    verdict: verdictToWire(reimage.verdict),
    failure: reimage.failure && failureRecordToWire(reimage.failure),
    endedAt: optionalDate(reimage.endedAt),
  };
}

function verdictToWire(verdict: ReimageVerdict | undefined): wire.ReimageVerdict {
  return verdict === undefined ? wire.ReimageVerdict.REIMAGE_VERDICT_UNSPECIFIED : reimageVerdicts.toWire(verdict);
}

function reimagePlanToWire(plan: ReimagePlan): wire.ReimagePlan {
  return {
    nodeId: plan.nodeId,
    nodeName: plan.nodeName,
    disk: plan.disk ?? "",
    diskBytes: BigInt(plan.diskBytes),
    erases: [...plan.erases],
    writeBytes: BigInt(plan.writeBytes),
    steps: [...plan.steps],
    refusal: plan.refusal && failureRecordToWire(plan.refusal),
    note: plan.note ?? "",
    seen: seenDiskToWire(plan.seen),
    unchanged: plan.unchanged ?? "",
    config: plan.config && configToWire(plan.config),
  };
}

function configurationToWire(configuration: NonNullable<Reimage["configuration"]>): wire.Configuration {
  const { state, tasks, succeeded, task = "", failure, endedAt } = configuration;
  return {
    state: configurationStates.toWire(state),
    ...{ tasks, succeeded, task },
    failure: failure && failureRecordToWire(failure),
    endedAt: optionalDate(endedAt),
  };
}

function proofToWire(proof: Proof): wire.Proof {
  const isWeak = proof.kind === "weak";
  return {
    previousBootId: proof.previousBootId,
    bootId: isWeak ? "" : proof.bootId,
    rootDevice: isWeak ? "" : proof.rootDevice,
    imageDigest: proof.imageDigest,
    provedAt: new Date(proof.provedAt),
    kind: proofKinds.toWire(proof.kind),
    kernelPath: isWeak ? proof.kernelPath : "",
    answer: isWeak ? proof.answer : "",
    config: isWeak ? "" : (proof.config ?? ""),
  };
}

function failureRecordToWire({ reason, message, ...evidence }: FailureRecord): WireFailure {
  return failureToWire(new Failure(reason, message, evidence));
}

function optionalDate(at: number | undefined): Date | undefined {
  return at === undefined ? undefined : new Date(at);
}

function optionalDuration(ms: number | undefined): Duration | undefined {
  return ms === undefined ? undefined : durationToWire(ms);
}
