import { type Evidence, Failure, type FailureReason } from "../../proto/failure.ts";

/** Why a request cannot be granted in the current state of the world, as opposed to an error. */
export type RefusalKind =
  | "not-found"
  | "already-exists"
  | "precondition"
  | "unavailable"
  | "exhausted"
  | "unproved"
  | "denied";

const reasons: Record<RefusalKind, FailureReason> = {
  "not-found": "invalid",
  "already-exists": "invalid",
  precondition: "invalid",
  unavailable: "node-silent",
  exhausted: "device-error",
  unproved: "not-permitted",
  denied: "not-permitted",
};

/**
 * A request that is understood and cannot be granted as things stand. It knows no transport: controller/rpc/doors/status.ts gives each
 * kind its gRPC status. A request that is malformed in itself is a plain `Failure` with the reason "invalid".
 */
export class Refusal extends Failure {
  readonly kind: RefusalKind;

  constructor(
    kind: RefusalKind,
    message: string,
    options: Evidence & { readonly reason?: FailureReason; readonly cause?: unknown } = {},
  ) {
    const { reason, ...rest } = options;
    super(reason ?? reasons[kind], message, rest);
    this.name = "Refusal";
    this.kind = kind;
  }
}

/** What the request names does not exist. */
export function notFound(message: string): Refusal {
  return new Refusal("not-found", message);
}

/** What the request would create already exists and is different. */
export function alreadyExists(message: string): Refusal {
  return new Refusal("already-exists", message);
}

/** The subject of the request is in a state that forbids it. */
export function precondition(message: string, options: { readonly cause?: unknown } = {}): Refusal {
  return new Refusal("precondition", message, options);
}

/** Something that the request needs does not answer at the moment. */
export function unavailable(message: string, options: { readonly cause?: unknown } = {}): Refusal {
  return new Refusal("unavailable", message, options);
}

/** The caller has not proved who it is. */
export function unproved(message: string): Refusal {
  return new Refusal("unproved", message);
}

/** The caller may not do this, whoever it is. */
export function denied(message: string, options: { readonly reason?: FailureReason } = {}): Refusal {
  return new Refusal("denied", message, options);
}

/** The request is malformed or contradicts itself. */
export function invalid(message: string): Failure {
  return new Failure("invalid", message);
}

/** Whether something that a request needs does not answer at the moment, so that the same may be tried again. */
export function isUnavailable(error: unknown): boolean {
  return error instanceof Refusal && error.kind === "unavailable";
}
