import { type ServiceError, status } from "@grpc/grpc-js";
import { Failure, type FailureReason } from "../../proto/failure.ts";
import { failureMetadata } from "../../proto/grpc/failure-metadata.ts";

/** The status by which each reason leaves the door, as documented in pallet/v1/agent.proto. */
const codes: Record<FailureReason, status> = {
  internal: status.INTERNAL,
  cancelled: status.CANCELLED,
  "not-a-disk": status.FAILED_PRECONDITION,
  "holds-running-root": status.FAILED_PRECONDITION,
  mounted: status.FAILED_PRECONDITION,
  "in-use": status.FAILED_PRECONDITION,
  "read-only": status.FAILED_PRECONDITION,
  "too-small": status.FAILED_PRECONDITION,
  "device-busy": status.RESOURCE_EXHAUSTED,
  "no-disk-chosen": status.FAILED_PRECONDITION,
  "fetch-failed": status.UNAVAILABLE,
  "image-damaged": status.DATA_LOSS,
  "device-error": status.INTERNAL,
  "verify-mismatch": status.DATA_LOSS,
  "tool-failed": status.INTERNAL,
  "node-silent": status.UNAVAILABLE,
  "wrong-system": status.FAILED_PRECONDITION,
  invalid: status.INVALID_ARGUMENT,
  unsupported: status.FAILED_PRECONDITION,
};

/** An answer whose status says more than the reason of its failure does: what is named is absent, or taken. */
export class StatusError extends Error {
  readonly code: status;
  readonly failure: Failure;

  constructor(code: status, failure: Failure) {
    super(failure.message, { cause: failure });
    this.name = "StatusError";
    this.code = code;
    this.failure = failure;
  }
}

/** The one place where an error becomes a gRPC status, with the Failure in the trailing metadata. */
export function toServiceError(error: unknown): ServiceError {
  const failure = error instanceof StatusError ? error.failure : Failure.from(error);
  const code = error instanceof StatusError ? error.code : codes[failure.reason];
  return Object.assign(new Error(failure.message, { cause: error }), {
    code,
    details: failure.message,
    metadata: failureMetadata(failure),
  });
}
