/**
 * An IP address in the one form that may be compared as text: without a zone, an IPv4 address mapped into IPv6 (RFC
 * 4291 section 2.5.5.2) as IPv4, other IPv6 addresses as the URL Standard writes them (RFC 5952 but for mapped ones).
 */
export function plainAddress(address: string): string {
  const [bare = ""] = address.split("%");
  if (!bare.includes(":") || !URL.canParse(`http://[${bare}]`)) return bare;
  const canonical = new URL(`http://[${bare}]`).hostname.slice(1, -1);
  const [, high, low] = /^::ffff:([\da-f]+):([\da-f]+)$/.exec(canonical) ?? [];
  if (high === undefined || low === undefined) return canonical;
  const bytes = [high, low].flatMap((word) => [Number.parseInt(word, 16) >> 8, Number.parseInt(word, 16) & 255]);
  return bytes.join(".");
}

/**
 * Whether an address or host name means this machine to itself alone (RFC 1122 section 3.2.1.3, RFC 4291 section 2.5.3,
 * RFC 6761).
 */
export function isLoopback(host: string): boolean {
  return host === "localhost" || /^(127(\.\d{1,3}){3}|::1)$/.test(plainAddress(host));
}

/** Whether an address stands for all of a machine's addresses (RFC 1122 section 3.2.1.3, RFC 4291 section 2.5.2). */
export function isUnspecified(address: string): boolean {
  return ["0.0.0.0", "::"].includes(plainAddress(address));
}
