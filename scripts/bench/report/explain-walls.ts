import { mediansOf, type Row } from "../runs/run-rounds.ts";

/**
 * A sentence on what the wall time of Pallet's write consists of, because most others do not read back; undefined when
 * that was not measured.
 */
export function explainWalls(rows: readonly Row[]): string | undefined {
  const of = (id: string) => mediansOf(rows, id);
  const { wallSeconds: all, serverCpuSeconds } = of("pallet-full");
  const { wallSeconds: written } = of("pallet-full-write-only");
  if (all === undefined || written === undefined) return undefined;
  const beside = [
    ["`curl | zstd -dc | dd`", of("curl-zstd-dd").wallSeconds],
    ["bmaptool (.zst)", of("bmaptool-zst").wallSeconds],
  ] as const;
  const ratios = beside.flatMap(([name, seconds]) =>
    seconds === undefined ? [] : [`${(seconds / written).toFixed(1)} times faster than ${name}`],
  );
  return (
    `Of the ${all.toFixed(1)} s of Pallet's write + verify, ${(all - written).toFixed(1)} s are the reading back` +
    (ratios.length === 0 ? "." : `; up to there, flush included, it is ${ratios.join(" and ")}.`) +
    (serverCpuSeconds === undefined
      ? ""
      : ` The sender's ${serverCpuSeconds.toFixed(1)} CPU-s are in that time too, for it has no cores of its own here.`)
  );
}
