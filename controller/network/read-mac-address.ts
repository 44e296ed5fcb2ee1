import { readFile } from "node:fs/promises";
import type { NodeId } from "../nodes/node.ts";
import { findMacAddress } from "./parse-arp-table.ts";

/**
 * The MAC address of a machine on the local network that has just sent something; undefined when this machine does not
 * know it, for example because a router lies between them.
 */
export async function readMacAddress(address: string): Promise<NodeId | undefined> {
  return findMacAddress(await readFile("/proc/net/arp", "utf8"), address);
}
