import { type ServiceDefinition, status, type UntypedServiceImplementation } from "@grpc/grpc-js";
import { Failure } from "../../../proto/failure.ts";
import { statusOf } from "./status.ts";

type Emitter = { emit(event: "error", error: Error): unknown };

/**
 * An implementation that refuses every method of the service with PERMISSION_DENIED, whatever methods it has, and looks
 * at no request. UNIMPLEMENTED, which gRPC answers for what is not there, would be taken for an older version.
 */
export function shutService(definition: ServiceDefinition, message: string): UntypedServiceImplementation {
  const refusal = (): Error =>
    Object.assign(statusOf(new Failure("invalid", message)), { code: status.PERMISSION_DENIED });
  return Object.fromEntries(
    Object.entries(definition).map(([name, { responseStream }]) => [
      name,
      responseStream
        ? (call: Emitter): void => void call.emit("error", refusal())
        : (_: unknown, callback: (error: Error) => void): void => callback(refusal()),
    ]),
  );
}
