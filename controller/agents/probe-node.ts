import { connect } from "node:net";
import type { NodeId } from "../../proto/names/node-id.ts";
import { readMacAddresses } from "../network/read-mac-address.ts";

/**
 * Probes once whether anything at a node's address responds to TCP, and describes the response; undefined if nothing
 * does, or if it is known to be another machine. Never rejects.
 */
export type NodeProbe = (
  node: { readonly address: string; readonly mac: NodeId },
  signal: AbortSignal,
) => Promise<string | undefined>;

/** A port where almost every system listens, or refuses at once. */
const port = 22;
const patienceMs = 1500;

/**
 * A connection that is accepted or refused is an answer, which boot loaders do not give. If the kernel knows which MAC
 * address was reached, it has to be the node's; behind a router it does not know.
 */
export const probeNode: NodeProbe = async ({ address, mac }, signal) => {
  const how = await tryConnection(address, port, signal);
  if (how === undefined) return undefined;
  // Without the ARP table, nothing suggests another machine.
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
    // Any other error means that no answer came, or that one came from a router.
    socket.once("error", (error: NodeJS.ErrnoException) => {
      resolve(error.code === "ECONNREFUSED" ? "refuses connections" : undefined);
    });
  });
}
