import { type ServiceDefinition, status, type UntypedServiceImplementation } from "@grpc/grpc-js";
import { Failure } from "../../../proto/failure.ts";
import { statusOf } from "./status.ts";

/** The message at a door where ControllerService is shut. */
export const shutMessage =
  "ControllerService only answers on the controller's unix socket: run this on the management machine, or start " +
  '"controller serve" with --insecure-tcp (anyone who can reach the port can then erase every disk)';

type Emitter = { emit(event: "error", error: Error): unknown };

/**
 * An implementation that refuses every method of the service with PERMISSION_DENIED, whatever methods it has, and looks
 * at no request. UNIMPLEMENTED, which gRPC answers for what is not there, would be taken for an older version.
 */
export function shutService(definition: ServiceDefinition): UntypedServiceImplementation {
  const refusal = (): Error =>
    Object.assign(statusOf(new Failure("invalid", shutMessage)), { code: status.PERMISSION_DENIED });
  return Object.fromEntries(
    Object.entries(definition).map(([name, { responseStream }]) => [
      name,
      responseStream
        ? (call: Emitter): void => void call.emit("error", refusal())
        : (_: unknown, callback: (error: Error) => void): void => callback(refusal()),
    ]),
  );
}
