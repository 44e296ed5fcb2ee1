import { Failure, failureToWire } from "../../../proto/failure.ts";
import type { PlanRolloutResponse } from "../../../proto/gen/pallet/v1/controller.ts";
import type { Failure as WireFailure } from "../../../proto/gen/pallet/v1/failure.ts";
import * as wire from "../../../proto/gen/pallet/v1/rollout.ts";
import { progressToWire } from "../../../proto/operation/progress-codec.ts";
import { proofKinds } from "../../../proto/proof-kind.ts";
import type {
  FailureRecord,
  Proof,
  Reimage,
  ReimagePhase,
  ReimagePlan,
  Rollout,
  RolloutPlan,
  RolloutState,
} from "../../reimage/plan/rollout.ts";
import { imageToWire } from "./image-to-wire.ts";

const phases = {
  queued: wire.ReimagePhase.REIMAGE_PHASE_QUEUED,
  netbooting: wire.ReimagePhase.REIMAGE_PHASE_NETBOOTING,
  checking: wire.ReimagePhase.REIMAGE_PHASE_CHECKING,
  waiting: wire.ReimagePhase.REIMAGE_PHASE_WAITING_TO_WRITE,
  writing: wire.ReimagePhase.REIMAGE_PHASE_WRITING,
  rebooting: wire.ReimagePhase.REIMAGE_PHASE_REBOOTING,
  proving: wire.ReimagePhase.REIMAGE_PHASE_PROVING,
  proved: wire.ReimagePhase.REIMAGE_PHASE_PROVED,
  failed: wire.ReimagePhase.REIMAGE_PHASE_FAILED,
  cancelled: wire.ReimagePhase.REIMAGE_PHASE_CANCELLED,
} as const satisfies Record<ReimagePhase, wire.ReimagePhase>;

const states = {
  running: wire.RolloutState.ROLLOUT_STATE_RUNNING,
  succeeded: wire.RolloutState.ROLLOUT_STATE_SUCCEEDED,
  failed: wire.RolloutState.ROLLOUT_STATE_FAILED,
  cancelled: wire.RolloutState.ROLLOUT_STATE_CANCELLED,
} as const satisfies Record<RolloutState, wire.RolloutState>;

/** A rollout as it travels. */
export function rolloutToWire(rollout: Rollout): wire.Rollout {
  return {
    rolloutId: rollout.id,
    imageName: rollout.imageName,
    imageDigest: rollout.imageDigest,
    state: states[rollout.state],
    reimages: rollout.reimages.map(reimageToWire),
    startedAt: new Date(rollout.startedAt),
    endedAt: optionalDate(rollout.endedAt),
  };
}

/** A plan as it travels. */
export function rolloutPlanToWire({ image, plans }: RolloutPlan): PlanRolloutResponse {
  return { image: imageToWire(image), plans: plans.map(reimagePlanToWire) };
}

function reimageToWire(reimage: Reimage): wire.Reimage {
  return {
    reimageId: reimage.id,
    nodeId: reimage.nodeId,
    nodeName: reimage.nodeName,
    phase: phases[reimage.phase],
    disk: reimage.disk ?? "",
    progress: reimage.progress && progressToWire(reimage.progress),
    attempts: reimage.attempts,
    failure: reimage.failure && failureRecordToWire(reimage.failure),
    proof: reimage.proof && proofToWire(reimage.proof),
    startedAt: new Date(reimage.startedAt),
    endedAt: optionalDate(reimage.endedAt),
    noResident: reimage.noResident,
    full: reimage.full,
    waitingFor: reimage.waitingFor ?? "",
  };
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
  };
}

function failureRecordToWire({ reason, message, ...evidence }: FailureRecord): WireFailure {
  return failureToWire(new Failure(reason, message, evidence));
}

function optionalDate(at: number | undefined): Date | undefined {
  return at === undefined ? undefined : new Date(at);
}
