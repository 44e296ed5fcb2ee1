import type {
  ReimagePlan,
  Configuration as WireConfiguration,
  Reimage as WireReimage,
  Rollout as WireRollout,
} from "../../../proto/gen/pallet/v1/rollout.ts";
import { type ConfigurationState, configurationStates } from "../../../proto/words/configuration-state.ts";
import { type ProofKind, proofKinds } from "../../../proto/words/proof-kind.ts";
import { type ReimagePhase, reimagePhases } from "../../../proto/words/reimage-phase.ts";
import { type ReimageVerdict, reimageVerdicts } from "../../../proto/words/reimage-verdict.ts";
import { type RolloutState, rolloutStates } from "../../../proto/words/rollout-state.ts";
import { type ConfigView, viewConfig } from "./config-view.ts";
import { type FailureView, viewWireFailure } from "./failure-view.ts";
import { type ProgressView, viewProgress } from "./operation-view.ts";
import { toMs, toNumber, toText, toTime } from "./wire-values.ts";

/** Where one node's reimage stands, in words. */
export type ReimagePhaseWord = ReimagePhase | "unknown";

/** What a node proved, as `--json` shows it; a weak proof includes neither the boot id nor the root device. */
export interface ProofView {
  readonly kind: ProofKind;
  readonly previousBootId: string;
  readonly bootId: string | null;
  readonly rootDevice: string | null;
  readonly imageDigest: string;
  readonly provedAt: string | null;
  readonly kernelPath: string | null;
  readonly answer: string | null;
  /** Digest of the config that the system bears. */
  readonly config: string | null;
}

/** The first-boot tasks of a proved node, as `--json` shows them. */
export interface ConfigurationView {
  readonly state: ConfigurationState | "unknown";
  readonly tasks: number;
  readonly succeeded: number;
  /** The one that runs, is next, or has failed. */
  readonly task: string | null;
  readonly failure: FailureView | null;
  readonly endedAt: string | null;
}

/** One node's reimage as `--json` shows it. */
export interface ReimageView {
  readonly reimageId: string;
  readonly nodeId: string;
  readonly nodeName: string;
  readonly phase: ReimagePhaseWord;
  /** Why it has no turn to write yet. */
  readonly waitingFor: string | null;
  /** What is waited for, what was last seen of the node, and until when; while preparing, netbooting, rebooting or proving. */
  readonly waitsFor: string | null;
  readonly disk: string | null;
  readonly attempts: number;
  readonly progress: ProgressView | null;
  readonly failure: FailureView | null;
  /** What became of the card, once it failed, was cancelled, or was proved late. */
  readonly verdict: ReimageVerdict | null;
  readonly noResident: boolean;
  readonly full: boolean;
  /** What its profiles said when it was confirmed. */
  readonly config: ConfigView | null;
  readonly proof: ProofView | null;
  /** The first-boot tasks of its system; null before the proof, and where there are none. */
  readonly configuration: ConfigurationView | null;
  readonly startedAt: string | null;
  readonly endedAt: string | null;
  /** How long it took by a clock that nobody sets, of a running rollout until now; null when the controller cannot say. */
  readonly tookMs: number | null;
}

/** Where a rollout stands, in words. */
export type RolloutStateWord = RolloutState | "unknown";

/** A rollout as `--json` shows it. */
export interface RolloutView {
  readonly rolloutId: string;
  readonly imageName: string;
  readonly imageDigest: string;
  readonly state: RolloutStateWord;
  readonly startedAt: string | null;
  readonly endedAt: string | null;
  /** How long it took by a clock that nobody sets, of a running rollout until now; null when the controller cannot say. */
  readonly tookMs: number | null;
  /** The rollout whose failed nodes it tries again. */
  readonly retryOf: string | null;
  readonly reimages: readonly ReimageView[];
}

/** What a reimage would do to one node, as `--json` shows it. */
export interface PlanView {
  readonly nodeId: string;
  readonly nodeName: string;
  readonly disk: string | null;
  readonly diskBytes: number;
  /** What tells the disk of others of its size; null while it is not known. */
  readonly diskModel: string | null;
  readonly diskSerial: string | null;
  readonly erases: readonly string[];
  readonly writeBytes: number;
  readonly steps: readonly string[];
  readonly refusal: FailureView | null;
  readonly note: string | null;
  /** What its profiles say. */
  readonly config: ConfigView | null;
  /** Why the node is left alone; null if it is not. */
  readonly unchanged: string | null;
}

function viewReimage(reimage: WireReimage): ReimageView {
  const { proof } = reimage;
  return {
    reimageId: reimage.reimageId,
    nodeId: reimage.nodeId,
    nodeName: reimage.nodeName,
    phase: reimagePhases.fromWire(reimage.phase) ?? "unknown",
    waitingFor: toText(reimage.waitingFor),
    waitsFor: toText(reimage.waitsFor),
    disk: toText(reimage.disk),
    attempts: reimage.attempts,
    progress: reimage.progress ? viewProgress(reimage.progress) : null,
    failure: viewWireFailure(reimage.failure),
    verdict: reimageVerdicts.fromWire(reimage.verdict) ?? null,
    noResident: reimage.noResident,
    full: reimage.full,
    config: viewConfig(reimage.config),
    proof: proof
      ? {
          kind: proofKinds.fromWire(proof.kind) ?? "resident",
          previousBootId: proof.previousBootId,
          bootId: toText(proof.bootId),
          rootDevice: toText(proof.rootDevice),
          imageDigest: proof.imageDigest,
          provedAt: toTime(proof.provedAt),
          kernelPath: toText(proof.kernelPath),
          answer: toText(proof.answer),
          config: toText(proof.config),
        }
      : null,
    configuration: reimage.configuration ? viewConfiguration(reimage.configuration) : null,
    startedAt: toTime(reimage.startedAt),
    endedAt: toTime(reimage.endedAt),
    tookMs: toMs(reimage.took),
  };
}

function viewConfiguration({ state, tasks, succeeded, task, failure, endedAt }: WireConfiguration): ConfigurationView {
  return {
    state: configurationStates.fromWire(state) ?? "unknown",
    ...{ tasks, succeeded, task: toText(task) },
    failure: viewWireFailure(failure),
    endedAt: toTime(endedAt),
  };
}

/** Converts from the wire. */
export function viewRollout(rollout: WireRollout): RolloutView {
  return {
    rolloutId: rollout.rolloutId,
    imageName: rollout.imageName,
    imageDigest: rollout.imageDigest,
    state: rolloutStates.fromWire(rollout.state) ?? "unknown",
    startedAt: toTime(rollout.startedAt),
    endedAt: toTime(rollout.endedAt),
    tookMs: toMs(rollout.took),
    retryOf: toText(rollout.retryOf),
    reimages: rollout.reimages.map(viewReimage),
  };
}

/** Converts from the wire. */
export function viewPlan(plan: ReimagePlan): PlanView {
  return {
    nodeId: plan.nodeId,
    nodeName: plan.nodeName,
    disk: toText(plan.disk),
    diskBytes: toNumber(plan.diskBytes),
    diskModel: toText(plan.seen?.model ?? ""),
    diskSerial: toText(plan.seen?.serial ?? ""),
    erases: plan.erases,
    writeBytes: toNumber(plan.writeBytes),
    steps: plan.steps,
    refusal: viewWireFailure(plan.refusal),
    note: toText(plan.note),
    config: viewConfig(plan.config),
    unchanged: toText(plan.unchanged),
  };
}

/** Whether every node is proved, or never will be in time; tasks may still run. */
export function hasProofs({ reimages }: RolloutView): boolean {
  return reimages.every(({ phase }) => phase === "proved" || phase === "failed" || phase === "cancelled");
}

/** Whether a rollout has ended, so that it no longer changes. */
export function hasEnded(rollout: RolloutView): boolean {
  return rollout.state === "succeeded" || rollout.state === "failed" || rollout.state === "cancelled";
}
