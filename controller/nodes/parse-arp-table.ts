/** Complete entries of /proc/net/arp (arp(7)): from the IPv4 address to the MAC address in lower case. */
export function parseArpTable(text: string): ReadonlyMap<string, string> {
  const table = new Map<string, string>();
  for (const line of text.split("\n").slice(1)) {
    const [address, , flags, mac] = line.trim().split(/\s+/);
    // ATF_COM: the address was resolved.
    if (address !== undefined && mac !== undefined && (Number(flags) & 2) !== 0) table.set(address, mac.toLowerCase());
  }
  return table;
}
