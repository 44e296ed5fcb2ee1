import type { Logger } from "pino";
import type { OperationSpec } from "../../proto/operation/operation-spec.ts";
import type { WriteResult } from "../../proto/operation/write-result.ts";
import type { DiskOutcome } from "../../proto/words/disk-outcome.ts";
import type { ProgressReporter } from "./progress-meter.ts";

/** What an executor gets for its work. */
export interface OperationContext {
  /** Aborted when the operation is cancelled; the executor then stops within a second and cleans up. */
  readonly signal: AbortSignal;
  readonly progress: ProgressReporter;
  /** Called by a write before and after each change of what its disk holds if it ends there; before, nothing is known. */
  readonly leaves: (outcome: DiskOutcome) => void;
  readonly log: Logger;
}

/** Performs one kind of work. */
export interface Executor<Spec extends OperationSpec> {
  /** Throws a Failure if the work must not even begin; changes nothing. */
  admit(spec: Spec, signal: AbortSignal): Promise<void>;
  /**
   * Performs the work. Resolves only if everything it promises is true, to what a write made of the disk; rejects
   * otherwise.
   */
  run(spec: Spec, context: OperationContext): Promise<WriteResult> | Promise<void>;
}

/** One executor for each kind of work. */
export type Executors = {
  readonly [Kind in OperationSpec["kind"]]: Executor<Extract<OperationSpec, { kind: Kind }>>;
};
