import { type RolloutView, viewRollout } from "../../../../controller/cli/view/rollout-view.ts";
import { FailureReason, Failure as WireFailure } from "../../../../proto/gen/pallet/v1/failure.ts";
import { OperationPhase } from "../../../../proto/gen/pallet/v1/operation.ts";
import {
  ProofKind,
  ReimagePhase,
  ReimageVerdict,
  Rollout,
  RolloutState,
} from "../../../../proto/gen/pallet/v1/rollout.ts";

/** The moment at which the renderings in these tests happen. */
export const now = Date.parse("2026-11-23T00:20:00Z");

export const digest = "4f1c".repeat(16);

const GiB = 2n ** 30n;
type PartialRollout = Parameters<typeof Rollout.fromPartial>[0];
type PartialReimage = NonNullable<NonNullable<PartialRollout["reimages"]>[number]>;

/** One node's reimage on the wire. */
export function aReimage(name: string, parts: PartialReimage = {}): PartialReimage {
  return {
    reimageId: `roll-1.${name}`,
    nodeId: "b8:27:eb:00:00:01",
    nodeName: name,
    phase: ReimagePhase.REIMAGE_PHASE_QUEUED,
    startedAt: new Date("2026-11-23T00:18:00Z"),
    ...parts,
  };
}

/** A node that compares, writes or verifies, with so many of 2 GiB done. */
export function aWrite(
  name: string,
  phase: OperationPhase,
  doneBytes: bigint,
  parts: PartialReimage = {},
): PartialReimage {
  const isVerifying = phase === OperationPhase.OPERATION_PHASE_VERIFYING;
  const isComparing = phase === OperationPhase.OPERATION_PHASE_COMPARING;
  return aReimage(name, {
    phase: ReimagePhase.REIMAGE_PHASE_WRITING,
    disk: "/dev/mmcblk0",
    attempts: 1,
    progress: {
      phase,
      compared: { done: isComparing ? doneBytes : 2n * GiB, total: 2n * GiB },
      written: { done: isComparing ? 0n : isVerifying ? 2n * GiB : doneBytes, total: 2n * GiB },
      verified: { done: isVerifying ? doneBytes : 0n, total: 2n * GiB },
      bytesPerSecond: 86_100_000n,
      eta: { seconds: 41n, nanos: 0 },
    },
    ...parts,
  });
}

/** A node that is proved. */
export function aProof(name: string): PartialReimage {
  return aReimage(name, {
    phase: ReimagePhase.REIMAGE_PHASE_PROVED,
    disk: "/dev/mmcblk0",
    attempts: 1,
    proof: {
      previousBootId: "0d6e2c1e-1b9a-4a53-a1ce-7d2f0f4f1c11",
      bootId: "7a9f8c42-50d1-4c3d-8f5b-2a4fcb7e0a22",
      rootDevice: "/dev/mmcblk0p2",
      imageDigest: digest,
      provedAt: new Date("2026-11-23T00:19:30Z"),
    },
    endedAt: new Date("2026-11-23T00:19:30Z"),
  });
}

/** A node that is proved as far as --no-resident allows. */
export function aWeakProof(name: string): PartialReimage {
  return aReimage(name, {
    phase: ReimagePhase.REIMAGE_PHASE_PROVED,
    disk: "/dev/mmcblk0",
    attempts: 1,
    noResident: true,
    proof: {
      kind: ProofKind.PROOF_KIND_WEAK,
      previousBootId: "0d6e2c1e-1b9a-4a53-a1ce-7d2f0f4f1c11",
      imageDigest: digest,
      provedAt: new Date("2026-11-23T00:19:30Z"),
      kernelPath: `images/${digest}/vmlinuz`,
      answer: "TCP port 22 of 10.77.0.12 is open",
    },
    endedAt: new Date("2026-11-23T00:19:30Z"),
  });
}

/** A node whose card lied about what it had written. */
export function aFailure(name: string, parts: Partial<WireFailure> = {}): PartialReimage {
  return aWrite(name, OperationPhase.OPERATION_PHASE_VERIFYING, GiB, {
    phase: ReimagePhase.REIMAGE_PHASE_FAILED,
    verdict: ReimageVerdict.REIMAGE_VERDICT_NO_SYSTEM,
    failure: WireFailure.fromPartial({
      reason: FailureReason.FAILURE_REASON_VERIFY_MISMATCH,
      message: "/dev/mmcblk0 does not hold what was written to it: the 4194304 bytes at byte 1073741824 differ",
      range: { device: "/dev/mmcblk0", offsetBytes: GiB, lengthBytes: 4_194_304n },
      expected: "aa".repeat(32),
      found: "bb".repeat(32),
      ...parts,
    }),
    endedAt: new Date("2026-11-23T00:19:10Z"),
  });
}

/** A rollout on the wire. */
export function aRollout(reimages: readonly PartialReimage[], parts: PartialRollout = {}): Rollout {
  return Rollout.fromPartial({
    rolloutId: "20261123-001800-k3f9",
    imageName: "debian-12",
    imageDigest: digest,
    state: RolloutState.ROLLOUT_STATE_RUNNING,
    startedAt: new Date("2026-11-23T00:18:00Z"),
    reimages: [...reimages],
    ...parts,
  });
}

/** A rollout in which something of everything happens. */
export const motley: Rollout = aRollout([
  aProof("rack-1"),
  aWrite("rack-2", OperationPhase.OPERATION_PHASE_WRITING, GiB),
  aWrite("rack-3", OperationPhase.OPERATION_PHASE_VERIFYING, GiB / 2n),
  aFailure("rack-4"),
  aReimage("rack-5", { phase: ReimagePhase.REIMAGE_PHASE_NETBOOTING }),
  aReimage("rack-6", { phase: ReimagePhase.REIMAGE_PHASE_PROVING, disk: "/dev/nvme0n1", attempts: 1 }),
  aReimage("rack-7", {
    phase: ReimagePhase.REIMAGE_PHASE_CANCELLED,
    verdict: ReimageVerdict.REIMAGE_VERDICT_UNTOUCHED,
  }),
  aReimage("rack-8"),
  aReimage("rack-9", {
    phase: ReimagePhase.REIMAGE_PHASE_WAITING_TO_WRITE,
    disk: "/dev/mmcblk0",
    waitingFor: "2 nodes are writing, and limits.writers is 2",
  }),
]);

/** That rollout after its end. */
export const ended: Rollout = aRollout(
  [
    aProof("rack-1"),
    aFailure("rack-4"),
    aReimage("rack-7", {
      phase: ReimagePhase.REIMAGE_PHASE_CANCELLED,
      verdict: ReimageVerdict.REIMAGE_VERDICT_UNTOUCHED,
    }),
  ],
  { state: RolloutState.ROLLOUT_STATE_FAILED, endedAt: new Date("2026-11-23T00:19:30Z") },
);

/** The view of a rollout, as the renderers take it. */
export function view(rollout: Rollout): RolloutView {
  return viewRollout(rollout);
}
