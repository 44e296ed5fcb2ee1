/** An address with the length of its network's prefix. */
export interface Prefixed {
  readonly address: string;
  readonly prefix: number;
  readonly family: 4 | 6;
}

/** The family of an IP address without a zone; undefined for what is none. */
export function familyOf(address: string): 4 | 6 | undefined {
  const byte = "(25[0-5]|2[0-4]\\d|1?\\d?\\d)";
  if (new RegExp(`^${byte}(\\.${byte}){3}$`).test(address)) return 4;
  const isForm = address.length <= 45 && /^[0-9a-fA-F:.]*:[0-9a-fA-F:.]*$/.test(address);
  return isForm && URL.canParse(`http://[${address}]`) ? 6 : undefined;
}

/** "10.0.0.7/24", "2001:db8::7/64"; undefined for what is none. */
export function parsePrefixed(text: string): Prefixed | undefined {
  const [, address = "", digits = ""] = /^([^/]+)\/(0|[1-9][0-9]{0,2})$/.exec(text) ?? [];
  const family = familyOf(address);
  const prefix = Number(digits);
  if (family === undefined || digits === "" || prefix < 1 || prefix > (family === 4 ? 32 : 128)) return undefined;
  return { address, prefix, family };
}

const notHosts: readonly Prefixed[] = [
  { address: "0.0.0.0", prefix: 8, family: 4 },
  { address: "127.0.0.0", prefix: 8, family: 4 },
  { address: "224.0.0.0", prefix: 3, family: 4 },
  { address: "::", prefix: 127, family: 6 },
  { address: "ff00::", prefix: 8, family: 6 },
];
/** On every link. */
const linkLocal: Prefixed = { address: "fe80::", prefix: 10, family: 6 };

/** Whether an interface can have it: no loopback, multicast or unspecified address, nor a network's first or last (RFC 1122). */
export function isOfHost(address: Prefixed): boolean {
  if (notHosts.some((network) => isIn(address, network))) return false;
  const { prefix, family } = address;
  if (family === 6 || prefix > 30) return true;
  const size = 1n << BigInt(32 - prefix);
  const host = numberOf(address) % size;
  return host !== 0n && host !== size - 1n;
}

/** Whether it can be reached from an interface with these addresses without a router, as far as that can be told. */
export function isReached(gateway: string, addresses: readonly Prefixed[]): boolean {
  const family = familyOf(gateway);
  if (family === undefined) return false;
  // An address that is its own network has its gateway beside it.
  return [linkLocal, ...addresses].some(
    (each) => each.family === family && (each.prefix === bitsOf(family) || isIn({ address: gateway, family }, each)),
  );
}

type Address = Pick<Prefixed, "address" | "family">;

function isIn(address: Address, network: Prefixed): boolean {
  const rest = BigInt(bitsOf(network.family) - network.prefix);
  return address.family === network.family && numberOf(address) >> rest === numberOf(network) >> rest;
}

function bitsOf(family: 4 | 6): number {
  return family === 4 ? 32 : 128;
}

function numberOf({ address, family }: Address): bigint {
  if (family === 4) return address.split(".").reduce((sum, byte) => sum * 256n + BigInt(byte), 0n);
  const [before = "", after] = new URL(`http://[${address}]`).hostname.slice(1, -1).split("::");
  const groupsOf = (text: string | undefined) => (text ? text.split(":") : []);
  const [first, last] = [groupsOf(before), groupsOf(after)];
  const zeros = Array.from({ length: 8 - first.length - last.length }, () => "0");
  return [...first, ...zeros, ...last].reduce((sum, group) => sum * 65_536n + BigInt(`0x${group}`), 0n);
}

/** The netmask of an IPv4 prefix: 24 is "255.255.255.0". */
export function netmaskOf(prefix: number): string {
  const bits = prefix === 0 ? 0 : (-1 << (32 - prefix)) >>> 0;
  return [24, 16, 8, 0].map((shift) => (bits >>> shift) & 255).join(".");
}
