const units: Readonly<Record<string, number>> = {
  "kbit/s": 1e3 / 8,
  "Mbit/s": 1e6 / 8,
  "Gbit/s": 1e9 / 8,
  "kB/s": 1e3,
  "MB/s": 1e6,
  "GB/s": 1e9,
  "KiB/s": 2 ** 10,
  "MiB/s": 2 ** 20,
  "GiB/s": 2 ** 30,
};

/**
 * A rate with its unit, as "500 Mbit/s" or "60 MB/s", in bytes per second; undefined for anything else. A number alone
 * is none: tc(8) would take it for bits and rsync(1) for KiB. So is "Mbps", which tc takes for bytes and others for
 * bits.
 */
export function parseBitRate(text: string): number | undefined {
  const match = /^(\d{1,6}(?:\.\d{1,3})?) ?([A-Za-z]+\/s)$/.exec(text);
  const unit = units[match?.[2] ?? ""];
  return unit === undefined ? undefined : Number(match?.[1]) * unit;
}

/** Bytes per second in bits, three significant digits: "932 Mbit/s", "1.00 Gbit/s", "64.0 kbit/s". */
export function formatBitRate(bytesPerSecond: number): string {
  const bits = bytesPerSecond * 8;
  const [unit, value] =
    bits >= 999_500_000 ? ["Gbit/s", bits / 1e9] : bits >= 999_500 ? ["Mbit/s", bits / 1e6] : ["kbit/s", bits / 1e3];
  return `${value.toFixed(value >= 99.95 ? 0 : value >= 9.995 ? 1 : 2)} ${unit}`;
}
