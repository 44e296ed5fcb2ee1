import type { ServiceError, status } from "@grpc/grpc-js";
import { Failure } from "../../proto/failure.ts";
import { failureMetadata } from "../../proto/grpc/failure-metadata.ts";
import { statusOfReason } from "../../proto/grpc/status-of-reason.ts";

/** An answer whose status says more than its failure's reason: the named thing is absent, or the name is taken. */
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
  const code = error instanceof StatusError ? error.code : statusOfReason[failure.reason];
  return Object.assign(new Error(failure.message, { cause: error }), {
    code,
    details: failure.message,
    metadata: failureMetadata(failure),
  });
}
