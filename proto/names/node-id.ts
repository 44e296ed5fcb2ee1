/** MAC address by which a node boots: six lower-case hexadecimal octets joined by colons. It identifies the node. */
export type NodeId = string & { readonly __brand: "NodeId" };

const octets = /^([0-9a-f]{1,2})([:-])([0-9a-f]{1,2})(?:\2([0-9a-f]{1,2})){4}$/;
const dottedQuads = /^[0-9a-f]{4}(\.[0-9a-f]{4}){2}$/;
const bare = /^[0-9a-f]{12}$/;

/**
 * Reads a MAC address in any usual notation, upper or lower case: "b8:27:eb:00:00:01", "B8-27-EB-00-00-01",
 * "b827.eb00.0001", "b827eb000001". Undefined when it is none, or is one that no single interface has (all zeros,
 * broadcast, multicast).
 */
export function parseMacAddress(text: string): NodeId | undefined {
  const lower = text.trim().toLowerCase();
  const digits = digitsOf(lower);
  if (digits === undefined || digits === "000000000000") return undefined;
  // IEEE 802: the lowest bit of the first octet marks a group address.
  if ((Number.parseInt(digits.slice(0, 2), 16) & 1) === 1) return undefined;
  return (digits.match(/../g) ?? []).join(":") as NodeId;
}

function digitsOf(lower: string): string | undefined {
  if (bare.test(lower)) return lower;
  if (dottedQuads.test(lower)) return lower.replaceAll(".", "");
  if (!octets.test(lower)) return undefined;
  return lower
    .split(/[:-]/)
    .map((octet) => octet.padStart(2, "0"))
    .join("");
}
