/**
 * The IP address in what grpc-js names a peer: address and port joined by a colon, IPv6 without brackets
 * ("10.0.0.7:51234", "::1:51234", "::ffff:10.0.0.7:51234", "fe80::1%eth0:51234", also "[::1]:51234"). An IPv4 address
 * mapped into IPv6 (RFC 4291 section 2.5.5.2) comes out as IPv4. Undefined for a peer without one (a unix socket).
 */
export function addressOfPeer(peer: string): string | undefined {
  const match = /^\[?([^[\]]+?)\]?:(\d{1,5})$/.exec(peer);
  const address = match?.[1]?.toLowerCase();
  if (address === undefined) return undefined;
  const mapped = /^::ffff:(\d{1,3}(?:\.\d{1,3}){3})$/.exec(address)?.[1];
  if (mapped !== undefined) return mapped;
  if (/^\d{1,3}(\.\d{1,3}){3}$/.test(address)) return address;
  return /^[0-9a-f:]*:[0-9a-f:.]*(%[\w.-]+)?$/.test(address) ? address : undefined;
}
