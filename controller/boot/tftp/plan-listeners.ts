/** Addresses by which a server may be told to listen on all of a machine's. */
const wildcards: ReadonlySet<string> = new Set(["0.0.0.0", "::"]);

/** Whether the address stands for every address of this machine. */
export function isWildcard(address: string): boolean {
  return wildcards.has(address);
}

/**
 * The addresses to open a socket on. An answer has to come from the address that was asked (RFC 1122 section 4.1.3.5:
 * strict clients, boot ROMs among them, drop any other), and a socket that is bound to every address leaves that to
 * the routing table. So a wildcard becomes each address that the machine has now; "::" stands for IPv4 as well.
 */
export function planListeners(address: string, ofThisMachine: readonly string[]): readonly string[] {
  if (!isWildcard(address)) return [address];
  const usable = address === "::" ? ofThisMachine : ofThisMachine.filter((own) => !own.includes(":"));
  return [...new Set(usable)];
}
