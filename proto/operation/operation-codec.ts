import { Failure, failureFromWire, failureToWire } from "../failure.ts";
import * as wire from "../gen/pallet/v1/operation.ts";
import { diskOutcomes } from "../words/disk-outcome.ts";
import { wireWords } from "../words/wire-words.ts";
import type { OperationId, OperationState, ReportedOperation } from "./operation.ts";
import { progressFromWire, progressToWire } from "./progress-codec.ts";
import { specFromWire, specToWire } from "./spec-codec.ts";
import type { WriteResult } from "./write-result.ts";

/** The states of operations as they travel. */
export const operationStates = wireWords<OperationState, wire.OperationState>({
  running: wire.OperationState.OPERATION_STATE_RUNNING,
  succeeded: wire.OperationState.OPERATION_STATE_SUCCEEDED,
  failed: wire.OperationState.OPERATION_STATE_FAILED,
  cancelled: wire.OperationState.OPERATION_STATE_CANCELLED,
});

/** A snapshot of an operation as it travels. */
export function operationToWire(operation: ReportedOperation): wire.Operation {
  return {
    operationId: operation.id,
    spec: operation.spec && specToWire(operation.spec),
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

function writeResultToWire({ growth, ids }: WriteResult): wire.WriteResult {
  return {
    growth: growth && {
      partitionBytes: BigInt(growth.partitionBytes),
      filesystemGrown: growth.filesystemGrown,
      limit: growth.limit ?? "",
    },
    ids: [...ids],
  };
}

function writeResultFromWire({ growth, ids }: wire.WriteResult): WriteResult {
  return {
    ...(growth !== undefined && {
      growth: {
        partitionBytes: Number(growth.partitionBytes),
        filesystemGrown: growth.filesystemGrown,
        ...(growth.limit !== "" && { limit: growth.limit }),
      },
    }),
    ids: ids.map((change) => ({ ...change })),
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
    id: operationId as OperationId,
    state,
    progress: progressFromWire(progress ?? wire.Progress.create()),
    startedAt: startedAt?.getTime() ?? 0,
    ...(spec !== undefined && { spec }),
    ...(failure !== undefined && { failure: failureFromWire(failure) }),
    ...(failure === undefined && state === "failed" && { failure: unexplained(operationId) }),
    ...(endedAt !== undefined && { endedAt: endedAt.getTime() }),
    ...(writeResult !== undefined && { writeResult: writeResultFromWire(writeResult) }),
    ...(diskOutcome !== undefined && { diskOutcome }),
  };
}

function unexplained(operationId: string): Failure {
  return new Failure("internal", `operation ${operationId} failed, but its agent gave no reason`);
}
