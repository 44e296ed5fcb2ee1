import { type ServiceError, status } from "@grpc/grpc-js";
import { Failure } from "../../../proto/failure.ts";
import { failureIn, isServiceError } from "../../../proto/grpc/failure-metadata.ts";
import { limits } from "../../../proto/limits.ts";
import { AgentError, type AgentErrorKind } from "../../agents/agent-error.ts";
import { plainText } from "../wire/text-from-wire.ts";

/** What each status says when the agent itself sent it, with a Failure in the trailing metadata. */
const answered: Record<status, AgentErrorKind> = {
  [status.OK]: "failed",
  [status.CANCELLED]: "failed",
  [status.UNKNOWN]: "failed",
  [status.INVALID_ARGUMENT]: "refused",
  [status.DEADLINE_EXCEEDED]: "timed-out",
  [status.NOT_FOUND]: "not-found",
  [status.ALREADY_EXISTS]: "id-taken",
  [status.PERMISSION_DENIED]: "refused",
  [status.RESOURCE_EXHAUSTED]: "refused",
  [status.FAILED_PRECONDITION]: "refused",
  [status.ABORTED]: "failed",
  [status.OUT_OF_RANGE]: "refused",
  [status.UNIMPLEMENTED]: "refused",
  [status.INTERNAL]: "failed",
  [status.UNAVAILABLE]: "failed",
  [status.DATA_LOSS]: "failed",
  [status.UNAUTHENTICATED]: "refused",
};

/** What it says otherwise where that differs: the transport says so, and nothing is known about the agent. */
const unanswered: Partial<Record<status, AgentErrorKind>> = {
  [status.CANCELLED]: "unreachable",
  [status.UNKNOWN]: "unreachable",
  // grpc-js gives INTERNAL when a connection breaks in the middle of a stream (RST_STREAM).
  [status.INTERNAL]: "unreachable",
  // Without an agent's word it says nothing of an operation.
  [status.ALREADY_EXISTS]: "refused",
  // An agent names what it does not know. Something else may listen at the address.
  [status.NOT_FOUND]: "unreachable",
  [status.UNAVAILABLE]: "unreachable",
};

/**
 * The one place where an agent's gRPC status becomes an error of the core. `subject` is for people: who was asked what.
 */
export function agentErrorOf(error: unknown, subject: string, signal: AbortSignal | undefined): AgentError {
  if (error instanceof AgentError) return error;
  if (signal?.aborted === true) {
    return new AgentError("aborted", new Failure("cancelled", `${subject} was cancelled`), error);
  }
  if (!isServiceError(error)) return new AgentError("failed", Failure.from(error), error);
  const failure = failureIn(error, limits.agents.failureCharacters.most);
  if (failure?.reason === "other-agent") return answeredByAnother(subject, error);
  if (failure !== undefined) return new AgentError(answered[error.code] ?? "failed", failure, error);
  const kind = unanswered[error.code] ?? answered[error.code] ?? "failed";
  return new AgentError(kind, wordless(kind, error, subject), error);
}

/** Another agent than the one that is meant has answered: of that one nothing is known. */
export function answeredByAnother(subject: string, cause?: unknown): AgentError {
  const message =
    `${subject} was answered by another agent: the one that is meant or its node has restarted, or another machine now ` +
    "has its address";
  return new AgentError("unreachable", new Failure("node-silent", message), cause);
}

/** What listens at the agent's address proved to be something else: nothing was asked of it. */
export function wrongAgent(subject: string, { message }: Error): AgentError {
  return new AgentError(
    "unreachable",
    new Failure("node-silent", `${subject} was not made: what listens there ${message}`),
    undefined,
  );
}

function wordless(kind: AgentErrorKind, error: ServiceError, subject: string): Failure {
  if (kind === "timed-out") return new Failure("node-silent", `${subject} was not answered in time`);
  if (kind === "unreachable") {
    const why = `${subject} did not get through: ${plainDetails(error.details)}`;
    // An agent resets the connections of callers that it takes no orders from.
    const remedy = error.details.includes("ECONNRESET")
      ? "the node may be rebooting, or its agent obeys another controller (its log says whom it refused)"
      : "the node may be rebooting, or have no power or network";
    return new Failure("node-silent", `${why}; ${remedy}`);
  }
  if (error.code === status.UNIMPLEMENTED)
    return new Failure(
      "unsupported",
      `${subject} is unknown to that agent, which is older than this controller: a netbooted one is as old as the root ` +
        'filesystem ("controller rootfs build" or "rootfs bake"), a resident one as the last reimage',
    );
  return new Failure(
    "internal",
    `${subject} failed: ${status[error.code] ?? error.code} ${plainDetails(error.details)}`,
  );
}

/** grpc-js's description of a failed connection, without its own boilerplate; or what whoever listens there has sent. */
function plainDetails(details: string): string {
  const described = details
    .replace(/^No connection established\. Last error: (?:Error: )?/, "")
    .replace(/\.? ?Resolution note: *$/, "");
  return plainText(described, limits.agents.evidenceCharacters.most);
}
