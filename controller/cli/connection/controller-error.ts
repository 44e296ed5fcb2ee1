import { status as Status } from "@grpc/grpc-js";
import { Failure } from "../../../proto/failure.ts";
import { failureIn, isServiceError } from "../../../proto/grpc/failure-metadata.ts";

/** A failed call, in the words that the operator reads. `cause` is the gRPC error. */
export class ControllerError extends Failure {
  /**
   * Whether the controller was unreachable or went away (it announces its shutdown): the request may or may not have
   * arrived, and may succeed later. Otherwise the controller has refused it.
   */
  readonly isConnectionLost: boolean;

  constructor(failure: Failure, options: { readonly isConnectionLost: boolean; readonly cause: unknown }) {
    super(failure.reason, failure.message, { ...failure.evidence, cause: options.cause });
    this.name = "ControllerError";
    this.isConnectionLost = options.isConnectionLost;
  }
}

function explainUnreachable(target: string, details: string): Failure {
  if (/certificate|altname|authority|SSL|TLS/i.test(details))
    return new Failure(
      "internal",
      `what answers at ${target} is not the controller that the bundle is for (${details}); it may speak no TLS ` +
        "(--insecure: then leave --bundle out), or its authority was retired: ask for a new bundle",
    );
  const isSocket = target.startsWith("unix:");
  if (/EACCES|EPERM/.test(details))
    return new Failure("internal", `permission denied: ${target.slice("unix:".length)}; run this as root (sudo)`);
  const other = isSocket
    ? "or say where it is, with --socket PATH (or PALLET_SOCKET) or --server HOST --bundle FILE"
    : "or correct --server HOST[:PORT]";
  return new Failure(
    "internal",
    `no controller answers at ${target.replace(/^unix:/, "")}: start it with "controller serve", ${other}`,
  );
}

/**
 * Translates the error of a call to the controller at `target`, exhaustively by status code. A failure sent by the
 * controller is passed on as it is; status codes that gRPC itself produces are explained.
 */
export function translateCallError(error: unknown, target: string, method: string): ControllerError | Error {
  if (!isServiceError(error)) return error instanceof Error ? error : new Error(String(error));
  const told = failureIn(error);
  if (told !== undefined) {
    const isConnectionLost = error.code === Status.UNAVAILABLE || error.code === Status.CANCELLED;
    return new ControllerError(told, { isConnectionLost, cause: error });
  }
  const make = (failure: Failure, isConnectionLost = false) =>
    new ControllerError(failure, { isConnectionLost, cause: error });
  switch (error.code) {
    case Status.UNAVAILABLE:
      // grpc-js uses different words for a connection that broke and for one that could not be made.
      return /connection dropped|ECONNRESET|GOAWAY/i.test(error.details)
        ? make(new Failure("internal", `the connection to the controller broke: ${error.details}`), true)
        : make(explainUnreachable(target, error.details), true);
    case Status.CANCELLED:
      return make(new Failure("internal", "the controller ended the call: it is shutting down or has crashed"), true);
    case Status.DEADLINE_EXCEEDED:
      return make(
        new Failure(
          "internal",
          `the controller at ${target} did not answer ${method} in time: check its log, then try again`,
        ),
        true,
      );
    case Status.UNIMPLEMENTED:
      return make(
        new Failure(
          "internal",
          `the controller at ${target} does not know ${method}: it is a different version than this program`,
        ),
      );
    case Status.INVALID_ARGUMENT:
    case Status.NOT_FOUND:
    case Status.ALREADY_EXISTS:
    case Status.FAILED_PRECONDITION:
    case Status.RESOURCE_EXHAUSTED:
    case Status.ABORTED:
    case Status.OUT_OF_RANGE:
    case Status.PERMISSION_DENIED:
    case Status.UNAUTHENTICATED:
      return make(new Failure("invalid", error.details || `the controller refused ${method} (${Status[error.code]})`));
    default:
      // UNKNOWN, INTERNAL and DATA_LOSS: a bug, or a stream that was cut off.
      return make(
        new Failure("internal", `${method} failed: ${error.details || Status[error.code] || `status ${error.code}`}`),
        /RST_STREAM|ECONNRESET|without (calling|status)/i.test(error.details),
      );
  }
}
