import { type NodeId, parseMacAddress } from "../names/node-id.ts";
import type { NodeFacts } from "./node-facts.ts";

/** Whether an interface has the MAC address: by its hardware, or because the system has set it. */
export function hasMac({ mac, currentMac = "" }: NodeFacts["interfaces"][number], id: NodeId): boolean {
  return parseMacAddress(mac) === id || parseMacAddress(currentMac) === id;
}
