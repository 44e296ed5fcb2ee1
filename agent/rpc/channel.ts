import type { ChannelCredentials } from "@grpc/grpc-js";
import { EnrollmentServiceClient } from "../../proto/gen/pallet/v1/enrollment.ts";
import { isServiceError } from "../../proto/grpc/failure-metadata.ts";
import { type Endpoint, renderEndpoint } from "../../proto/names/endpoint.ts";
import { explainRefusal, ForeignControllerError } from "../identity/foreign-controller-error.ts";

/** How the agent connects to its controller. */
export interface ChannelOfAgent {
  readonly credentials: ChannelCredentials;
  /** Sent as the name that is wanted (SNI); undefined for plain connections. */
  readonly servername: string | undefined;
}

/** A client of the EnrollmentService at an address, "HOST:PORT". */
export function connectTo(target: string, { credentials, servername }: ChannelOfAgent): EnrollmentServiceClient {
  return new EnrollmentServiceClient(target, credentials, {
    "grpc.keepalive_time_ms": 10_000,
    "grpc.keepalive_timeout_ms": 5_000,
    // The registration loop has a backoff of its own; the channel's must not be slower.
    "grpc.initial_reconnect_backoff_ms": 100,
    "grpc.max_reconnect_backoff_ms": 1_000,
    // Never the address, which must not be sent as a name (RFC 6066, section 3; DEP0123).
    ...(servername !== undefined && { "grpc.ssl_target_name_override": servername }),
  });
}

/**
 * The error of a call, or, where it says that somebody else than the controller answers at its address, that: gRPC has
 * one code for this and for nobody being there.
 */
export function explainCallError(error: unknown, at: Endpoint | undefined): unknown {
  const why = isServiceError(error) ? explainRefusal(error.details) : undefined;
  if (why === undefined) return error;
  const place = at === undefined ? "the controller's address" : renderEndpoint(at);
  return new ForeignControllerError(
    `what answers at ${place} is not the controller that this node believes: it ${why}`,
    { cause: error },
  );
}
