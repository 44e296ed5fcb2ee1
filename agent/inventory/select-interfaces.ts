import type { NodeId } from "../../proto/names/node-id.ts";
import type { NodeFacts } from "../../proto/node/node-facts.ts";
import type { Link } from "./parse-link-dump.ts";

/** A host of containers has hundreds, which say nothing of the board. */
const mostInterfaces = 32;

/**
 * The interfaces that a node reports: all, because the one by which the board is known may have no address (the port of
 * a bridge or a bond, what a macvlan lies on), and no address of the hardware either (where the driver or the device tree
 * sets it). What matters most comes first: the one by which the node is known, those with an IP address, those of the
 * hardware, those that the system made.
 *
 * Each with the MAC address of its hardware, where it has one: that is what firmware and boot loader have asked with,
 * whatever the system has set since; and with what was set.
 *
 * @param addresses IP addresses of each interface, by its name
 * @param bootMac by which the node is known; undefined where that is chosen from these
 */
export function selectInterfaces(
  links: readonly Link[],
  addresses: ReadonlyMap<string, readonly string[]>,
  bootMac?: NodeId,
): NodeFacts["interfaces"] {
  const rank = ({ name, mac, permanentMac, kind }: Link): number => {
    if (bootMac !== undefined && [mac, permanentMac].includes(bootMac)) return 0;
    if ((addresses.get(name) ?? []).length > 0) return 1;
    return permanentMac !== undefined || kind === undefined ? 2 : 3;
  };
  return links
    .toSorted((one, other) => rank(one) - rank(other))
    .flatMap(({ name, mac, permanentMac }) => {
      const known = permanentMac ?? mac;
      if (known === undefined) return [];
      const currentMac = mac === known ? undefined : mac;
      return [{ name, mac: known, ...(currentMac && { currentMac }), addresses: addresses.get(name) ?? [] }];
    })
    .slice(0, mostInterfaces);
}
