import { Failure } from "../../../proto/failure.ts";
import type { FailureRecord } from "./rollout.ts";

/** A failure as plain data, without its cause. */
export function recordOf(failure: Failure): FailureRecord {
  return { reason: failure.reason, message: failure.message, ...failure.evidence };
}

/** A failure from plain data. */
export function failureFrom({ reason, message, ...evidence }: FailureRecord): Failure {
  return new Failure(reason, message, evidence);
}
