import { readFile } from "node:fs/promises";
import { connect } from "node:net";
import type { NodeId } from "./node.ts";
import { parseArpTable } from "./parse-arp-table.ts";

/** Where almost every system has something listening, or says at once that it has not. */
const port = 22;
const patienceMs = 1500;

/**
 * Tries once whether a system at the address takes part in TCP: that a connection is accepted or refused is an answer,
 * which boot loaders do not give. Where the kernel knows by which MAC address it was reached, that has to be the node's;
 * through a router it does not know. Says how it answered; undefined when nothing did. Never rejects.
 */
export async function probeNode(
  { address, mac }: { readonly address: string; readonly mac: NodeId },
  signal: AbortSignal,
): Promise<string | undefined> {
  const how = await tryConnection(address, port, signal);
  if (how === undefined) return undefined;
  const reached = parseArpTable(await readFile("/proc/net/arp", "utf8").catch(() => "")).get(address);
  if (reached !== undefined && reached !== mac) return undefined;
  return `TCP port ${port} of ${address} ${how}`;
}

/** "is open", "refuses connections", or undefined. */
export function tryConnection(address: string, port: number, signal: AbortSignal): Promise<string | undefined> {
  return new Promise((resolve) => {
    const socket = connect({ host: address, port, signal: AbortSignal.any([signal, AbortSignal.timeout(patienceMs)]) });
    socket.once("connect", () => {
      socket.destroy();
      resolve("is open");
    });
    // Everything but a refusal says that no answer came, or one from somebody on the way.
    socket.once("error", (error: NodeJS.ErrnoException) => {
      resolve(error.code === "ECONNREFUSED" ? "refuses connections" : undefined);
    });
  });
}
