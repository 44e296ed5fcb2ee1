/** An IPv4 network (RFC 4632). Addresses are 32-bit numbers. */
export interface Ipv4Network {
  /** First address: every host bit 0. */
  readonly base: number;
  /** 0 to 32. */
  readonly prefixLength: number;
}

/** Reads dotted decimal without leading zeros; undefined when the text is something else. */
export function parseIpv4(text: string): number | undefined {
  if (!/^(0|[1-9]\d{0,2})(\.(0|[1-9]\d{0,2})){3}$/.test(text)) return undefined;
  const octets = text.split(".").map(Number);
  if (octets.some((octet) => octet > 255)) return undefined;
  return octets.reduce((sum, octet) => sum * 256 + octet, 0);
}

/** Dotted decimal. */
export function formatIpv4(address: number): string {
  return [24, 16, 8, 0].map((shift) => (address >>> shift) & 255).join(".");
}

/** Reads "10.77.0.0/24"; host bits may be set. Undefined when the text is something else. */
export function parseIpv4Network(text: string): Ipv4Network | undefined {
  const [addressText = "", prefixText = "", ...more] = text.split("/");
  const address = parseIpv4(addressText);
  if (address === undefined || more.length > 0 || !/^\d{1,2}$/.test(prefixText)) return undefined;
  const prefixLength = Number(prefixText);
  if (prefixLength > 32) return undefined;
  return { base: (address & maskOf(prefixLength)) >>> 0, prefixLength };
}

/** CIDR notation. */
export function formatIpv4Network({ base, prefixLength }: Ipv4Network): string {
  return `${formatIpv4(base)}/${prefixLength}`;
}

/** Dotted decimal netmask. */
export function netmaskOf({ prefixLength }: Ipv4Network): string {
  return formatIpv4(maskOf(prefixLength));
}

/** Whether the address is in the network. */
export function isInNetwork({ base, prefixLength }: Ipv4Network, address: number): boolean {
  return (address & maskOf(prefixLength)) >>> 0 === base;
}

/** Whether two networks have an address in common: one is in the other. */
export function networksOverlap(one: Ipv4Network, other: Ipv4Network): boolean {
  return one.prefixLength <= other.prefixLength ? isInNetwork(one, other.base) : isInNetwork(other, one.base);
}

/**
 * Whether a host may have the address: in the network, and neither its first nor its last where it has more than two.
 */
export function isHostAddress(network: Ipv4Network, address: number): boolean {
  if (!isInNetwork(network, address)) return false;
  if (network.prefixLength >= 31) return true;
  return address !== network.base && address !== (network.base | ~maskOf(network.prefixLength)) >>> 0;
}

function maskOf(prefixLength: number): number {
  return prefixLength === 0 ? 0 : (0xffff_ffff << (32 - prefixLength)) >>> 0;
}
