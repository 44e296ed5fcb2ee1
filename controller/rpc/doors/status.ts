import { type ServerErrorResponse, status } from "@grpc/grpc-js";
import { Failure, type FailureReason } from "../../../proto/failure.ts";
import { failureMetadata } from "../../../proto/grpc/failure-metadata.ts";
import { statusOfReason } from "../../../proto/grpc/status-of-reason.ts";
import { isDiskFull } from "../../../proto/linux/disk-full.ts";
import { AgentError, type AgentErrorKind } from "../../agents/agent-error.ts";
import { Refusal, type RefusalKind } from "../../refusal/refusal.ts";

const ofRefusal: Record<RefusalKind, status> = {
  "not-found": status.NOT_FOUND,
  "already-exists": status.ALREADY_EXISTS,
  precondition: status.FAILED_PRECONDITION,
  unavailable: status.UNAVAILABLE,
  exhausted: status.RESOURCE_EXHAUSTED,
  unproved: status.UNAUTHENTICATED,
  denied: status.PERMISSION_DENIED,
};

/** How an error of the controller's own call to an agent looks to the controller's caller. */
const ofAgentError: Record<AgentErrorKind, status> = {
  unreachable: status.UNAVAILABLE,
  "timed-out": status.UNAVAILABLE,
  "not-found": status.UNAVAILABLE,
  "id-taken": status.FAILED_PRECONDITION,
  refused: status.FAILED_PRECONDITION,
  aborted: status.CANCELLED,
  failed: status.INTERNAL,
};

const ofFailure: Readonly<Record<FailureReason, status>> = {
  ...statusOfReason,
  // To the caller of the controller it is a state of the node, not a limit that he reached.
  "device-busy": status.FAILED_PRECONDITION,
  // Only the import of an image throws these two in the controller: the file is not what it should be.
  "image-damaged": status.INVALID_ARGUMENT,
  unsupported: status.INVALID_ARGUMENT,
  // Of an image that was written, not of what the caller sent.
  "verify-mismatch": status.INTERNAL,
};

/** The gRPC status of an error, and the whole failure with it. The one place where errors become statuses. */
export function statusOf(error: unknown): Required<Pick<ServerErrorResponse, "code" | "details" | "metadata">> & Error {
  const failure = isAbort(error)
    ? new Failure("cancelled", "the call was cancelled", { cause: error })
    : Failure.from(error);
  return Object.assign(new Error(failure.message, { cause: error }), {
    code: codeOf(failure),
    details: failure.message,
    metadata: failureMetadata(failure),
  });
}

function codeOf(failure: Failure): status {
  if (failure instanceof Refusal) return ofRefusal[failure.kind];
  if (failure instanceof AgentError) return ofAgentError[failure.kind];
  if (isDiskFull(failure)) return status.RESOURCE_EXHAUSTED;
  return ofFailure[failure.reason];
}

function isAbort(error: unknown): boolean {
  return error instanceof Error && error.name === "AbortError";
}
