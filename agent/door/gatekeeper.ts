import { lookup as dnsLookup } from "node:dns/promises";
import { readFileSync } from "node:fs";
import { isIP, type Socket } from "node:net";
import { networkInterfaces } from "node:os";
import process from "node:process";
import { setTimeout as delay } from "node:timers/promises";
import type { Logger } from "pino";
import type { SocketAddress } from "../../proto/linux/parse-socket-address.ts";
import { isLoopback, plainAddress } from "../../proto/names/plain-address.ts";
import { type BackoffPolicy, backoff } from "../../proto/time/backoff.ts";
import { type Caller, mayOrder } from "./judge-caller.ts";
import { ownerOfSocket } from "./parse-socket-table.ts";

/** Decides, before a byte is read, who may connect. */
export interface Gatekeeper {
  admits(connection: Socket): boolean;
}

/** What the gatekeeper decides by. */
export interface GatekeeperOptions {
  /**
   * Host names and IP addresses of the controller, as they are now; while there are none, nobody but root on this node
   * may connect.
   */
  readonly controllerHosts: () => readonly string[];
  readonly backoff: BackoffPolicy;
  readonly log: Logger;
  /** Finds the addresses of a host name; the system's resolver unless given. */
  readonly lookup?: (host: string) => Promise<readonly string[]>;
}

/** Refusals are logged no more often than this, in milliseconds: strangers must not fill the log. */
const quietMs = 60_000;

/**
 * Admits the controller, at every address that it is known under, and, on the node itself, root and the agent's own
 * user; see `mayOrder`. A host name is resolved once, as soon as that is possible, or until the signal aborts; until
 * then nobody is admitted for its sake.
 */
export function createGatekeeper(options: GatekeeperOptions, signal: AbortSignal): Gatekeeper {
  const { controllerHosts, log } = options;
  const resolved = new Map<string, readonly string[]>();
  const addressesOf = (host: string): readonly string[] => {
    if (isIP(host) !== 0) return [plainAddress(host)];
    const known = resolved.get(host);
    if (known !== undefined) return known;
    resolved.set(host, []);
    void resolve(host, options, signal).then((found) => resolved.set(host, found));
    return [];
  };
  const addresses = (): readonly string[] => controllerHosts().flatMap(addressesOf);
  // The first caller must not find that nobody has asked for the names yet.
  addresses();

  const uid = process.getuid?.() ?? 0;
  let refused = 0;
  let quietUntil = 0;
  return {
    admits(connection) {
      const caller = callerOf(connection, log);
      if (caller !== undefined && mayOrder(caller, { controller: addresses(), uid })) return true;
      refused += 1;
      const now = performance.now();
      if (now >= quietUntil) {
        const owner = caller?.local && { uid: caller.local.uid };
        log.warn(
          { from: caller?.address, ...owner, refused },
          `refused a connection: only ${controllerHosts().join(", ") || "no controller"} and root on this node may give orders`,
        );
        refused = 0;
        quietUntil = now + quietMs;
      }
      return false;
    },
  };
}

/** Admits everyone, for test benches. */
export const openGate: Gatekeeper = { admits: () => true };

async function resolve(
  host: string,
  { lookup = lookUp, backoff: policy, log }: GatekeeperOptions,
  signal: AbortSignal,
): Promise<readonly string[]> {
  for (const waitMs of backoff(policy)) {
    try {
      const addresses = (await lookup(host)).map(plainAddress);
      log.info({ host, addresses }, "the controller's address is known");
      return addresses;
    } catch (error) {
      log.debug({ err: error, host }, "could not resolve the controller's name; retrying");
    }
    if (signal.aborted) return [];
    await delay(waitMs, undefined, { signal }).catch(() => {});
  }
  return [];
}

async function lookUp(host: string): Promise<readonly string[]> {
  return (await dnsLookup(host, { all: true })).map(({ address }) => address);
}

/** Undefined for a connection that has since ended. */
function callerOf({ remoteAddress, remotePort, localAddress, localPort }: Socket, log: Logger): Caller | undefined {
  if (remoteAddress === undefined || remotePort === undefined) return undefined;
  if (localAddress === undefined || localPort === undefined) return undefined;
  const address = plainAddress(remoteAddress);
  if (!isOfThisNode(address)) return { address };
  const there: SocketAddress = { address, port: remotePort };
  const here: SocketAddress = { address: localAddress, port: localPort };
  try {
    return { address, local: { uid: userBehind(there, here) } };
  } catch (error) {
    log.error({ err: error }, "cannot tell whose process is connecting from this node, so it is refused");
    return { address, local: { uid: undefined } };
  }
}

function isOfThisNode(address: string): boolean {
  if (isLoopback(address)) return true;
  return Object.values(networkInterfaces())
    .flatMap((addresses) => addresses ?? [])
    .some((each) => plainAddress(each.address) === address);
}

/** Synchronous, so that nothing is read from a connection before it is admitted. */
function userBehind(there: SocketAddress, here: SocketAddress): number | undefined {
  for (const file of ["/proc/net/tcp", "/proc/net/tcp6"]) {
    const uid = ownerOfSocket(readTable(file), there, here);
    if (uid !== undefined) return uid;
  }
  return undefined;
}

function readTable(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    // A kernel without IPv6 has no tcp6.
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return "";
    throw error;
  }
}
