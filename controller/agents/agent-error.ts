import { Failure } from "../../proto/failure.ts";

/** Why a call to an agent failed. */
export type AgentErrorKind =
  /**
   * Nobody answered at that address, another agent than the expected one did, or the connection broke. Nothing is known
   * about what the agent did.
   */
  | "unreachable"
  /** The agent did not answer in time. Nothing is known about what it did. */
  | "timed-out"
  /** The agent does not know the operation. */
  | "not-found"
  /** The agent knows the id of the operation, for other work. */
  | "id-taken"
  /** The agent understood and will not: guard, role, busy device, another boot id, malformed request. */
  | "refused"
  /** The caller's signal was aborted. */
  | "aborted"
  /** Anything else. */
  | "failed";

/** A failed call to an agent: the agent's own failure where it sent one, and the kind for decisions. */
export class AgentError extends Failure {
  readonly kind: AgentErrorKind;

  constructor(kind: AgentErrorKind, failure: Failure, cause: unknown) {
    super(failure.reason, failure.message, { ...failure.evidence, cause });
    this.name = "AgentError";
    this.kind = kind;
  }
}

/** Whether nothing is known about what the agent did or will do, so that asking again is right. */
export function isSilence(error: unknown): error is AgentError {
  return error instanceof AgentError && (error.kind === "unreachable" || error.kind === "timed-out");
}

/** Whether the agent says that it does not know the operation. */
export function isUnknownOperation(error: unknown): error is AgentError {
  return error instanceof AgentError && error.kind === "not-found";
}

/** Whether the agent says that it has given the operation's id to other work. */
export function isTakenId(error: unknown): error is AgentError {
  return error instanceof AgentError && error.kind === "id-taken";
}

/** The operation that keeps the device from another, when the agent refused one for that and named it. */
export function occupantOf(error: unknown): string | undefined {
  if (!(error instanceof AgentError) || error.kind !== "refused" || error.reason !== "device-busy") return undefined;
  return error.evidence.found;
}

/** Whether the agent refused an operation because it runs as many as it may, so that asking again later is right. */
export function isFull(error: unknown): error is AgentError {
  return isRefusal(error) && error.reason === "device-busy" && error.evidence.found === undefined;
}

/** Whether the agent has understood and will not: nothing came of what it was asked. */
export function isRefusal(error: unknown): error is AgentError {
  return error instanceof AgentError && error.kind === "refused";
}
