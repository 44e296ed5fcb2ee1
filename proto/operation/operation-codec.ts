import { countFromWire } from "../count.ts";
import { cutText } from "../cut-text.ts";
import { Failure, failureFromWire, failureToWire } from "../failure.ts";
import * as wire from "../gen/pallet/v1/operation.ts";
import { limits } from "../limits.ts";
import { diskOutcomes } from "../words/disk-outcome.ts";
import { wireWords } from "../words/wire-words.ts";
import type { OperationId, OperationState, ReportedOperation } from "./operation.ts";
import { maxPartitions } from "./operation-limits.ts";
import { progressFromWire, progressToWire } from "./progress-codec.ts";
import { specFromWire, specToWire } from "./spec-codec.ts";
import { withoutSystem } from "./without-system.ts";
import { isPublicHostKey, type WriteResult } from "./write-result.ts";

/** The states of operations as they travel. */
export const operationStates = wireWords<OperationState, wire.OperationState>({
  running: wire.OperationState.OPERATION_STATE_RUNNING,
  succeeded: wire.OperationState.OPERATION_STATE_SUCCEEDED,
  failed: wire.OperationState.OPERATION_STATE_FAILED,
  cancelled: wire.OperationState.OPERATION_STATE_CANCELLED,
});

/** A snapshot of an operation as it travels: its spec without secrets. */
export function operationToWire(operation: ReportedOperation): wire.Operation {
  return {
    operationId: operation.id,
    spec: operation.spec && specToWire(withoutSystem(operation.spec)),
    state: operationStates.toWire(operation.state),
    progress: progressToWire(operation.progress),
    failure: operation.failure && failureToWire(operation.failure),
    startedAt: new Date(operation.startedAt),
    endedAt: operation.endedAt === undefined ? undefined : new Date(operation.endedAt),
    writeResult: operation.writeResult && writeResultToWire(operation.writeResult),
    diskOutcome:
      operation.diskOutcome === undefined
        ? wire.DiskOutcome.DISK_OUTCOME_UNSPECIFIED
        : diskOutcomes.toWire(operation.diskOutcome),
  };
}

/** Characters of a UUID, and some more: what is longer is none, and means nothing. */
const mostUuid = 40;

function writeResultToWire({ growth, ids, hostKeys = [] }: WriteResult): wire.WriteResult {
  return {
    growth: growth && {
      partitionBytes: BigInt(growth.partitionBytes),
      filesystemGrown: growth.filesystemGrown,
      limit: growth.limit ?? "",
    },
    ids: [...ids],
    hostKeys: [...hostKeys],
  };
}

function writeResultFromWire({ growth, ids, hostKeys }: wire.WriteResult): WriteResult {
  const wellFormed = hostKeys.slice(0, limits.config.hostKeys.most).filter(isPublicHostKey);
  return {
    ...(growth !== undefined && {
      growth: {
        partitionBytes: countFromWire(growth.partitionBytes),
        filesystemGrown: growth.filesystemGrown,
        ...(growth.limit !== "" && { limit: cutText(growth.limit, limits.agents.evidenceCharacters.most) }),
      },
    }),
    ids: ids.slice(0, maxPartitions).map(({ partitionNumber, imageUuid, cardUuid }) => ({
      partitionNumber,
      imageUuid: cutText(imageUuid, mostUuid),
      cardUuid: cutText(cardUuid, mostUuid),
    })),
    ...(wellFormed.length > 0 && { hostKeys: wellFormed }),
  };
}

/**
 * An operation as its agent reports it. What a newer agent says in words unknown here becomes the most harmless that is
 * known: an unknown kind of work is absent, and an unknown state is `failed` once the operation has an end and
 * `running` before.
 */
export function operationFromWire(operation: wire.Operation): ReportedOperation {
  const { operationId, progress, failure, startedAt, endedAt, writeResult } = operation;
  const diskOutcome = diskOutcomes.fromWire(operation.diskOutcome);
  const spec = specFromWire(operation.spec);
  const state = operationStates.fromWire(operation.state) ?? (endedAt === undefined ? "running" : "failed");
  return {
    id: cutText(operationId, limits.facts.wordCharacters.most) as OperationId,
    state,
    progress: progressFromWire(progress ?? wire.Progress.create()),
    startedAt: timeFromWire(startedAt),
    ...(spec !== undefined && { spec }),
    ...(failure !== undefined && { failure: failureFromWire(failure, limits.agents.failureCharacters.most) }),
    ...(failure === undefined && state === "failed" && { failure: unexplained(operationId) }),
    ...(endedAt !== undefined && { endedAt: timeFromWire(endedAt) }),
    ...(writeResult !== undefined && { writeResult: writeResultFromWire(writeResult) }),
    ...(diskOutcome !== undefined && { diskOutcome }),
  };
}

/** Milliseconds since the epoch; the epoch for a time that is missing, or that no calendar has. */
function timeFromWire(time: Date | undefined): number {
  return time?.getTime() || 0;
}

function unexplained(operationId: string): Failure {
  return new Failure(
    "internal",
    `operation ${cutText(operationId, limits.facts.wordCharacters.most)} failed, but its agent gave no reason`,
  );
}
