import { readFile } from "node:fs/promises";
import type { NodeId } from "../../proto/names/node-id.ts";
import { findMacAddresses } from "./parse-arp-table.ts";

/**
 * The MAC address of a machine on the local network that has just sent something; undefined when this machine does not
 * know it, for example because a router is between them, or when two interfaces know it differently.
 */
export async function readMacAddress(address: string): Promise<NodeId | undefined> {
  const found = await readMacAddresses(address);
  return found.size === 1 ? [...found][0] : undefined;
}

/** All MAC addresses that this machine's ARP table has for the IPv4 address. */
export async function readMacAddresses(address: string): Promise<ReadonlySet<NodeId>> {
  return findMacAddresses(await readFile("/proc/net/arp", "utf8"), address);
}
