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

/** The netmask of an IPv4 prefix: 24 is "255.255.255.0". */
export function netmaskOf(prefix: number): string {
  const bits = prefix === 0 ? 0 : (-1 << (32 - prefix)) >>> 0;
  return [24, 16, 8, 0].map((shift) => (bits >>> shift) & 255).join(".");
}
