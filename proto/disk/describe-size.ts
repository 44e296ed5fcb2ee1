const units = ["B", "KiB", "MiB", "GiB", "TiB"] as const;

/** Formats bytes for a sentence: "512 B", "1.5 GiB". */
export function describeSize(bytes: number): string {
  const power = bytes < 1024 ? 0 : Math.min(units.length - 1, Math.floor(Math.log2(bytes) / 10));
  const value = bytes / 1024 ** power;
  return `${Number.isInteger(value) ? value : value.toFixed(1)} ${units[power]}`;
}
