import { Failure, messageOf } from "../../proto/failure.ts";
import { renderEndpoint } from "../../proto/names/endpoint.ts";
import { NotYet } from "../refusal/not-yet.ts";
import { describeAbsentAddress } from "./interface-address.ts";

/** Where something wanted to listen. */
export interface Listener {
  /** For a person: "gRPC", "HTTP", "TFTP". */
  readonly name: string;
  readonly protocol: "TCP" | "UDP";
  readonly address: string;
  readonly port: number;
  /** The setting that changes the port, and its flag. */
  readonly setting: string;
  readonly flag: string;
}

/**
 * Says which port is unavailable, why, and how to change that; NotYet where only the address is missing. A Failure says
 * that itself.
 */
export function listenFailure(listener: Listener, error: unknown): Failure {
  if (error instanceof Failure) return error;
  const { name, protocol, address, port, setting, flag } = listener;
  const message = messageOf(error);
  if (message.includes("EADDRNOTAVAIL")) return new NotYet(describeAbsentAddress(address, "listen"), { cause: error });
  return new Failure(
    "internal",
    `cannot serve ${name} at ${protocol} ${renderEndpoint({ host: address, port })}: ${remedyOf(message, listener, setting, flag)}`,
    { cause: error },
  );
}

function remedyOf(message: string, { port, protocol }: Listener, setting: string, flag: string): string {
  if (message.includes("EADDRINUSE")) {
    const show = protocol === "TCP" ? "ss -ltnp" : "ss -lunp";
    return `another program uses that port ("${show}" shows which); stop it, or choose another port with ${setting} (${flag})`;
  }
  if (message.includes("EACCES") || message.includes("EPERM")) {
    return `port ${port} is below 1024 and needs root or CAP_NET_BIND_SERVICE; run the controller with that, or choose another port with ${setting} (${flag})`;
  }
  return message;
}
