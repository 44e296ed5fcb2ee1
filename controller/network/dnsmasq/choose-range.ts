import { formatIpv4, type Ipv4Network, parseIpv4 } from "../ipv4.ts";

/**
 * Chooses the addresses to give away in a network where the operator named none: its upper half, which those who hand
 * out addresses by hand seldom reach, without its last address and what is taken there; of the pieces the longest.
 * Undefined where nothing of it is free.
 *
 * @param taken addresses that machines have permanently, in dotted decimal
 */
export function chooseRange(
  { base, prefixLength }: Ipv4Network,
  taken: readonly string[],
): readonly [from: string, to: string] | undefined {
  const size = 2 ** (32 - prefixLength);
  const last = base + size - 2;
  const walls = taken
    .map((address) => parseIpv4(address) ?? 0)
    .filter((address) => address >= base + size / 2 && address <= last)
    .toSorted((one, other) => one - other);
  let best: readonly [number, number] | undefined;
  let from = base + size / 2;
  for (const wall of [...walls, last + 1]) {
    if (wall > from && (best === undefined || wall - from > best[1] - best[0] + 1)) best = [from, wall - 1];
    from = wall + 1;
  }
  return best && [formatIpv4(best[0]), formatIpv4(best[1])];
}
