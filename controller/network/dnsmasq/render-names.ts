import { isLoopback, isUnspecified, plainAddress } from "../../../proto/names/plain-address.ts";
import { controllerName, problemOfNodeName } from "../../nodes/node-name.ts";
import { parseIpv4 } from "../ipv4.ts";
import type { KnownHost } from "./render-dhcp-hosts.ts";

/**
 * Renders the names that DNS answers for, as dnsmasq reads them (hosts(5), addn-hosts of dnsmasq(8)): this machine's own,
 * and that of each accepted node, with the address at which it was heard last. That stays while the node is off: it is
 * kept for the node, and "no such name" would be untrue. Nobody else gets a name here, whatever he calls himself.
 *
 * Of two nodes at one address, the one seen last has it. The first name of a line is what the address is called.
 *
 * @param own this machine's address in the nodes' network
 * @param domain the domain of the names; without one they stand alone
 */
export function renderNames(
  nodes: readonly Omit<KnownHost, "id">[],
  { address: own, domain }: { readonly address: string; readonly domain?: string },
): string {
  const byAddress = new Map([[own, controllerName]]);
  for (const { name, accepted, address } of nodes.toSorted((one, other) => other.lastSeenAt - one.lastSeenAt)) {
    if (!accepted || address === undefined || name === controllerName) continue;
    const plain = plainAddress(address);
    // Anything else would start another line or another field of that file.
    if (parseIpv4(plain) === undefined || problemOfNodeName(name) !== undefined) continue;
    if (byAddress.has(plain) || isLoopback(plain) || isUnspecified(plain)) continue;
    byAddress.set(plain, name);
  }
  return [...byAddress]
    .map(([address, name]) => [address, ...(domain === undefined ? [] : [`${name}.${domain}`]), name].join(" "))
    .toSorted()
    .map((line) => `${line}\n`)
    .join("");
}
