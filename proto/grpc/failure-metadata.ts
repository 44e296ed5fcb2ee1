import { Metadata, type ServiceError } from "@grpc/grpc-js";
import { type Failure, failureFromWire, failureMetadataKey, failureToWire } from "../failure.ts";
import { Failure as WireFailure } from "../gen/pallet/v1/failure.ts";

/** The trailing metadata by which a failure travels whole beside its status. */
export function failureMetadata(failure: Failure): Metadata {
  const metadata = new Metadata();
  metadata.set(failureMetadataKey, Buffer.from(WireFailure.encode(failureToWire(failure)).finish()));
  return metadata;
}

/**
 * The failure that came with an error; undefined when the peer itself did not answer, or sent something else under this
 * key: status and details still say what happened.
 *
 * @param messageCharacters where its message is cut; generous unless given, for refusals that name many nodes
 */
export function failureIn(error: ServiceError, messageCharacters?: number): Failure | undefined {
  // Errors of a connection that never existed have no metadata.
  const [bytes] = (error.metadata as Metadata | undefined)?.get(failureMetadataKey) ?? [];
  if (!Buffer.isBuffer(bytes)) return undefined;
  try {
    return failureFromWire(WireFailure.decode(bytes), messageCharacters);
  } catch {
    return undefined;
  }
}

/** Whether a call ended with this error, in grpc-js's words; errors of streams have the same shape. */
export function isServiceError(error: unknown): error is ServiceError {
  return error instanceof Error && "code" in error && typeof error.code === "number" && "details" in error;
}
