import { connect } from "node:net";
import type { NodeId } from "../../proto/node-id.ts";
import { readMacAddresses } from "../network/read-mac-address.ts";

/**
 * Tries once whether anything at a node's address takes part in TCP, and says how it did; undefined when nothing does or
 * when it is known to be another machine. Never rejects.
 */
export type NodeProbe = (
  node: { readonly address: string; readonly mac: NodeId },
  signal: AbortSignal,
) => Promise<string | undefined>;

/** Where almost every system has something listening, or says at once that it has not. */
const port = 22;
const patienceMs = 1500;

/**
 * A connection that is accepted or refused is an answer, which boot loaders do not give. Where the kernel knows by which
 * MAC address it was reached, that has to be the node's; through a router it does not know.
 */
export const probeNode: NodeProbe = async ({ address, mac }, signal) => {
  const how = await tryConnection(address, port, signal);
  if (how === undefined) return undefined;
  // Without a table nothing is known to be another machine.
  const reached = await readMacAddresses(address).catch(() => new Set<NodeId>());
  if (reached.size > 0 && !reached.has(mac)) return undefined;
  return `TCP port ${port} of ${address} ${how}`;
};

/** "is open", "refuses connections", or undefined. */
export function tryConnection(address: string, port: number, signal: AbortSignal): Promise<string | undefined> {
  return new Promise((resolve) => {
    const socket = connect({ host: address, port, signal: AbortSignal.any([signal, AbortSignal.timeout(patienceMs)]) });
    socket.once("connect", () => {
      socket.destroy();
      resolve("is open");
    });
    // Everything but a refusal says that no answer came, or one from someone on the way.
    socket.once("error", (error: NodeJS.ErrnoException) => {
      resolve(error.code === "ECONNREFUSED" ? "refuses connections" : undefined);
    });
  });
}
