import { parseMacAddress } from "../../../proto/names/node-id.ts";
import type { Node } from "../../nodes/node.ts";
import type { NodeChangeCause } from "../../nodes/node-change.ts";
import { problemOfNodeName } from "../../nodes/node-name.ts";
import { type Ipv4Network, isHostAddress, parseIpv4 } from "../ipv4.ts";

/**
 * After which changes of a node what dnsmasq knows may be another. Heartbeats are too many to render it for each: only one
 * from another address matters.
 */
export const changesHosts: Readonly<Record<NodeChangeCause, boolean>> = {
  discovered: true,
  registered: true,
  heartbeat: false,
  "went-silent": false,
  "came-back": true,
  renamed: true,
  accepted: true,
  labelled: false,
  forgotten: true,
  "boot-target-changed": false,
  "address-leased": true,
  "boot-file-fetched": true,
  proved: false,
  "proof-voided": false,
  "own-board-back": false,
};

/** What of a node decides its line in the list of known hosts. */
export type KnownHost = Pick<Node, "id" | "name" | "accepted" | "address" | "lastSeenAt">;

/** Whether it can have a line: anything else would start another line or another field of that file. */
export function isNameable({ id, name }: Pick<KnownHost, "id" | "name">): boolean {
  return parseMacAddress(id) === id && problemOfNodeName(name) === undefined;
}

/**
 * Renders dnsmasq's list of known hosts (dhcp-hostsfile, dnsmasq(8)): a line a node with its MAC address, its address
 * and its name. A node keeps the address that it was last seen with, where that is in the subnet and is not the
 * server's; of two nodes that claim one address, the one seen last has it.
 */
export function renderDhcpHosts(
  nodes: readonly Omit<KnownHost, "accepted">[],
  network: { readonly subnet: Ipv4Network; readonly address: string },
): string {
  const taken = new Set([network.address]);
  const reserved = new Map<string, string>();
  for (const node of nodes.toSorted((a, b) => b.lastSeenAt - a.lastSeenAt)) {
    const number = node.address === undefined ? undefined : parseIpv4(node.address);
    if (node.address === undefined || number === undefined) continue;
    if (taken.has(node.address) || !isHostAddress(network.subnet, number)) continue;
    taken.add(node.address);
    reserved.set(node.id, node.address);
  }
  return nodes
    .filter(isNameable)
    .toSorted((a, b) => (a.id < b.id ? -1 : 1))
    .map(({ id, name }) => `${[id, ...(reserved.has(id) ? [reserved.get(id)] : []), name].join(",")}\n`)
    .join("");
}
