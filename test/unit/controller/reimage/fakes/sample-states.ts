import type {
  ReimageEvent,
  ReimageEventType,
  Sighting,
} from "../../../../../controller/reimage/machine/reimage-event.ts";
import {
  type Phase,
  type PhaseName,
  queuedReimage,
  type ReimageState,
} from "../../../../../controller/reimage/machine/reimage-state.ts";
import type { ReimageId, RolloutId } from "../../../../../controller/reimage/plan/rollout.ts";
import { Failure } from "../../../../../proto/failure.ts";
import type { NodeId } from "../../../../../proto/names/node-id.ts";
import type { OperationId } from "../../../../../proto/operation/operation.ts";
import type { Progress } from "../../../../../proto/operation/progress.ts";
import { noProgress } from "../../../../../proto/operation/progress.ts";
import type { ImageDigest } from "../../../../../proto/pack/digest.ts";

export const digest = "d1".repeat(32) as ImageDigest;
export const startedAt = 1_000_000;

export const queued: ReimageState = queuedReimage({
  id: "reimage-1" as ReimageId,
  rolloutId: "rollout-1" as RolloutId,
  nodeId: "02:00:00:00:00:01" as NodeId,
  nodeName: "pi-1",
  imageName: "debian-12",
  imageDigest: digest,
  startedAt,
});

const timed = { since: startedAt, deadlineAt: startedAt + 600_000 };
const agent = { bootId: "boot-1", instanceId: "instance-1" };
const disk = "/dev/mmcblk0";
const identity = { sizeBytes: 32 * 2 ** 30, model: "SD32G", serial: "0x1234", cid: "" };
const operationId = "reimage-1-1" as OperationId;
const ended = { endedAt: startedAt, settled: false };
const failure = { reason: "node-silent", message: "silent" } as const;
const back = { ...timed, disk, previousBootId: "boot-1", returnsToAgent: 0 };

/** One phase of each name. */
export const phases: { readonly [Name in PhaseName]: Phase & { name: Name } } = {
  queued: { name: "queued" },
  preparing: { name: "preparing", since: startedAt },
  netbooting: { ...timed, name: "netbooting", booting: false },
  checking: { ...timed, name: "checking", agent, mayWrite: true },
  waiting: { name: "waiting", since: startedAt, agent },
  writing: { ...timed, name: "writing", agent, disk, operationId, started: true, graced: false },
  cancelling: { ...timed, name: "cancelling", agent, operationId, started: true },
  rebooting: { ...back, name: "rebooting" },
  proving: { ...back, name: "proving" },
  proved: {
    ...ended,
    name: "proved",
    proof: {
      kind: "resident",
      previousBootId: "boot-1",
      bootId: "boot-2",
      rootDevice: "/dev/mmcblk0p2",
      imageDigest: digest,
      provedAt: 1,
    },
  },
  failed: { ...ended, name: "failed", failure },
  cancelled: { ...ended, name: "cancelled", failure: { ...failure, reason: "cancelled" } },
};

/** A state in that phase, in the middle of its life. */
export function stateIn(name: PhaseName): ReimageState {
  return { ...queued, phase: phases[name], step: 4, attempts: 1, disk };
}

export const progress: Progress = {
  ...noProgress,
  phase: "writing",
  read: { done: 1, total: 2 },
  written: { done: 1, total: 2 },
  bytesPerSecond: 1,
};

/** A resident agent that proves the reimage. */
export const proof: Sighting = {
  role: "resident",
  bootId: "boot-2",
  instanceId: "instance-2",
  rootDevice: "/dev/mmcblk0p2",
  rootDisk: "/dev/mmcblk0",
  installed: { imageName: "debian-12", imageDigest: digest, reimageId: "reimage-1", installedAt: "" },
};

/** A netbooted agent of a boot that was not seen before. */
export const netbooted: Sighting = {
  role: "netboot",
  bootId: "boot-9",
  instanceId: "instance-9",
  rootDevice: "10.0.0.1:/rootfs",
  rootDisk: "",
};

/** One event of each type, answering the given step. */
export function eventsAt(step: number): { readonly [Type in ReimageEventType]: ReimageEvent & { type: Type } } {
  const because = new Failure("internal", "because");
  return {
    started: { type: "started" },
    "hooks-passed": { type: "hooks-passed", step },
    "hooks-refused": { type: "hooks-refused", step, failure: because },
    "write-admitted": { type: "write-admitted" },
    resumed: { type: "resumed" },
    "agent-sighted": { type: "agent-sighted", ...netbooted },
    "boot-file-fetched": { type: "boot-file-fetched", path: "pxelinux.cfg/01", at: startedAt + 1 },
    "address-leased": { type: "address-leased", at: startedAt + 1 },
    "cancel-requested": { type: "cancel-requested" },
    "preflight-passed": { type: "preflight-passed", step, agent, disk, identity },
    "preflight-refused": { type: "preflight-refused", step, failure: because },
    "agent-confirmed": { type: "agent-confirmed", step, sighting: netbooted },
    "agent-unreachable": { type: "agent-unreachable", step, failure: because },
    "write-started": { type: "write-started", step },
    "write-progressed": { type: "write-progressed", step, progress },
    "write-succeeded": { type: "write-succeeded", step },
    "write-failed": { type: "write-failed", step, failure: because },
    "write-cancelled": { type: "write-cancelled", step },
    "write-lost": { type: "write-lost", step },
    "reboot-accepted": { type: "reboot-accepted", step },
    "reboot-refused": { type: "reboot-refused", step, failure: because },
    "reboot-unreachable": { type: "reboot-unreachable", step, failure: because },
    "node-answered": { type: "node-answered", step, how: "it does" },
    "deadline-passed": { type: "deadline-passed", step },
    "retry-due": { type: "retry-due", step },
    "effect-failed": { type: "effect-failed", step, failure: because },
    settled: { type: "settled", of: "end", step },
  };
}
