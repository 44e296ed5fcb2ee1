const units: Readonly<Record<string, number>> = {
  MB: 1e6,
  GB: 1e9,
  TB: 1e12,
  MiB: 2 ** 20,
  GiB: 2 ** 30,
  TiB: 2 ** 40,
};

/**
 * A size with its unit, as "16 GB" or "14.5GiB", in whole bytes; undefined for anything else. A number alone is none,
 * nor is "16G", which some programs take for 10^9 and others for 2^30.
 */
export function parseSize(text: string): number | undefined {
  const match = /^(\d{1,6}(?:\.\d{1,3})?) ?([KMGT]i?B)$/.exec(text);
  const unit = units[match?.[2] ?? ""];
  if (unit === undefined) return undefined;
  const bytes = Math.floor(Number(match?.[1]) * unit);
  return bytes > 0 ? bytes : undefined;
}
