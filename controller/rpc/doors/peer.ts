import { isIP } from "node:net";
import { plainAddress } from "../../../proto/names/plain-address.ts";

/**
 * The IP address in what grpc-js names a peer: address and port joined by a colon, IPv6 without brackets
 * ("10.0.0.7:51234", "::1:51234", "::ffff:10.0.0.7:51234", "fe80::1%eth0:51234", also "[::1]:51234"). Written as
 * `plainAddress` does, with the zone, without which a link-local address reaches nobody. Undefined for a peer without
 * one (a unix socket).
 */
export function addressOfPeer(peer: string): string | undefined {
  const address = /^\[?([^[\]]+?)\]?:(\d{1,5})$/.exec(peer)?.[1];
  if (address === undefined || isIP(address) === 0) return undefined;
  const [, zone] = address.split("%");
  return zone === undefined ? plainAddress(address) : `${plainAddress(address)}%${zone}`;
}
