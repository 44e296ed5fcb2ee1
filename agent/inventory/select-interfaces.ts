import type { NodeFacts } from "../../proto/node/node-facts.ts";
import type { Link } from "./parse-link-dump.ts";

/**
 * Which interfaces a node reports: those with an IP address, and those of the hardware even without one. The port of a
 * bridge or a bond has none, and the bridge has another MAC address than the board is known by.
 *
 * Each with the MAC address of its hardware, where it has one: that is what firmware and boot loader have asked with,
 * whatever the system has set since.
 *
 * @param addresses IP addresses of each interface, by its name
 */
export function selectInterfaces(
  links: readonly Link[],
  addresses: ReadonlyMap<string, readonly string[]>,
): NodeFacts["interfaces"] {
  return links.flatMap(({ name, mac, permanentMac }) => {
    const own = addresses.get(name) ?? [];
    const known = permanentMac ?? mac;
    if (known === undefined || (own.length === 0 && permanentMac === undefined)) return [];
    return [{ name, mac: known, addresses: own }];
  });
}
