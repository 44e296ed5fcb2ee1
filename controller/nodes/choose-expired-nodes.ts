import { limits } from "../../proto/limits.ts";
import { saysNothing } from "./judge-board.ts";
import type { Node } from "./node.ts";

/** How long nobody may have seen a stranger before its record goes, in milliseconds. */
export const expiresAfterMs = limits.nodes.unseenMs.most;
/** Whoever was seen in this time makes no room for somebody who only asked for a boot file, in milliseconds. */
export const freshMs = 10 * 60_000;

/**
 * Whether nothing is lost with the record: nobody accepted, named or labelled the node, nothing was written to it, and no
 * other board's words are kept in it. It comes again with the node's next request.
 */
export function isUnclaimed(node: Node): boolean {
  return saysNothing(node) && node.board?.replaced === undefined;
}

/** Whether all that is known is that somebody asked for a boot file in its name. */
export function isStranger(node: Node): boolean {
  return isUnclaimed(node) && node.agent === undefined && node.facts === undefined;
}

/** The strangers that were not seen for so long that they are most likely nobody. */
export function chooseExpiredNodes(nodes: readonly Node[], at: number): readonly Node[] {
  return nodes.filter((node) => isStranger(node) && quietMs(node, at) >= expiresAfterMs);
}

/**
 * Who makes room, in a full table, for a board that asks for its boot config: the stranger that was seen longest ago, but
 * nobody who was seen just now. Undefined for nobody: then the board boots all the same, and is recorded when its agent
 * registers.
 */
export function chooseForDiscovery(nodes: readonly Node[], at: number): Node | undefined {
  return quietest(
    nodes.filter((node) => isStranger(node) && quietMs(node, at) >= freshMs),
    at,
  );
}

/**
 * Who makes room, in a full table, for a board whose agent registers: a stranger, for it has not come as far; else an
 * unclaimed node whose agent has been silent for a while; else, of the unclaimed ones, the newest at the address that has
 * the most of them, if that has more than the newcomer's would have. So whoever has one address has one place, however
 * many boards another one invents. Undefined for nobody: all are somebody's, or as good as the newcomer.
 */
export function chooseForRegistration(
  nodes: readonly Node[],
  newcomer: { readonly address: string | undefined; readonly at: number },
  isOnline: (node: Node) => boolean,
): Node | undefined {
  const { address, at } = newcomer;
  const unclaimed = nodes.filter(isUnclaimed);
  const silent = unclaimed.filter((node) => !isOnline(node) && quietMs(node, at) >= freshMs);
  return quietest(unclaimed.filter(isStranger), at) ?? quietest(silent, at) ?? newestOfMost(unclaimed, address);
}

function newestOfMost(unclaimed: readonly Node[], address: string | undefined): Node | undefined {
  const byAddress = Map.groupBy(unclaimed, (node) => node.address);
  const [most = []] = [...byAddress.values()].sort((one, other) => other.length - one.length);
  if (most.length <= (byAddress.get(address)?.length ?? 0) + 1) return undefined;
  return most.reduce((one, other) => (other.discoveredAt > one.discoveredAt ? other : one));
}

function quietest(nodes: readonly Node[], at: number): Node | undefined {
  return nodes.reduce<Node | undefined>(
    (one, other) => (one === undefined || quietMs(other, at) > quietMs(one, at) ? other : one),
    undefined,
  );
}

/** Who was seen in the future was seen before the clock was set back: how long ago cannot be known. */
function quietMs({ lastSeenAt }: Node, at: number): number {
  return Math.abs(at - lastSeenAt);
}
