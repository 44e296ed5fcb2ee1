import type { NodeId } from "../../proto/names/node-id.ts";
import { parseMacAddress } from "../../proto/names/node-id.ts";

/** ATF_COM of linux/if_arp.h: the entry is complete. */
const complete = 0x2;

/**
 * The MAC addresses that an IPv4 address has on the local network, by the table of /proc/net/arp (proc(5)): none when
 * the table does not know it, several when interfaces know it differently.
 */
export function findMacAddresses(table: string, address: string): ReadonlySet<NodeId> {
  const found = new Set<NodeId>();
  for (const line of table.split("\n").slice(1)) {
    const [ip, , flags = "0", hardware = ""] = line.trim().split(/\s+/);
    if (ip !== address || (Number(flags) & complete) === 0) continue;
    const mac = parseMacAddress(hardware);
    if (mac !== undefined) found.add(mac);
  }
  return found;
}
