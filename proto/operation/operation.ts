import type { Failure } from "../failure.ts";
import type { DiskOutcome } from "../words/disk-outcome.ts";
import type { OperationSpec } from "./operation-spec.ts";
import type { Progress } from "./progress.ts";
import type { WriteResult } from "./write-result.ts";

/** Id of an operation, chosen by the caller: see `isId`. */
export type OperationId = string & { readonly __brand: "OperationId" };

/** Where an operation stands; see pallet.v1.OperationState. */
export type OperationState = "running" | "succeeded" | "failed" | "cancelled";

/** An operation as its watchers see it; see pallet.v1.Operation. A snapshot: never changed after it was published. */
export interface Operation {
  readonly id: OperationId;
  readonly spec: OperationSpec;
  readonly state: OperationState;
  readonly progress: Progress;
  /** Present when failed or cancelled. */
  readonly failure?: Failure;
  /** Milliseconds since the epoch, by the clock of the node. */
  readonly startedAt: number;
  readonly endedAt?: number;
  /** Present when a write has succeeded, unless its agent is older than that. */
  readonly writeResult?: WriteResult;
  /** Present once a write has ended, unless its agent is older than that: then nothing is known of its disk. */
  readonly diskOutcome?: DiskOutcome;
}

/** An operation as its agent reports it: `spec` is absent when it is work that only a newer agent knows. */
export type ReportedOperation = Omit<Operation, "spec"> & { readonly spec?: OperationSpec };
