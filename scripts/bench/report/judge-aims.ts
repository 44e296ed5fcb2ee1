import type { Figures } from "../measure/figures.ts";
import { medians } from "../measure/statistics.ts";
import type { DigestCost } from "../runs/measure-digests.ts";
import type { ImportCost } from "../runs/measure-imports.ts";
import { mediansOf, type Row } from "../runs/run-rounds.ts";

/** An aim of the write path and what was measured of it. */
export interface Judgement {
  readonly aim: string;
  readonly measured: string;
  /** Undefined when it could not be measured. */
  readonly isMet?: boolean;
}

const MiB = 1024 ** 2;

/** Holds the results against the aims, in the words of the issue that set them. */
export function judgeAims(
  rows: readonly Row[],
  digests: readonly DigestCost[],
  imports: readonly ImportCost[],
): readonly Judgement[] {
  const of = (id: string) => mediansOf(rows, id);
  const pallet = of("pallet-full");
  const compared = of("pallet");
  const curl = of("curl-zstd-dd");
  const same = of("pallet-same");
  const upgraded = of("pallet-upgraded");
  const bmaptool = [of("bmaptool-zst"), of("bmaptool-gz")].map(({ wallSeconds }) => wallSeconds ?? Infinity);
  const peaks = rows.flatMap(({ runs }) => runs.map(({ peakResidentBytes }) => peakResidentBytes ?? 0));
  const added = medians<keyof ImportCost>(imports);
  const blake3 = digests.find(({ digest }) => digest.startsWith("BLAKE3"));

  return [
    ratio(
      "Write + verify within 1.3 times the wall time of `curl \\| zstd -dc \\| dd`",
      pallet.wallSeconds,
      curl.wallSeconds,
      {
        atMost: 1.3,
        unit: "s",
        beside: compared.wallSeconds,
      },
    ),
    ratio("… and within 1.3 times its CPU", pallet.cpuSeconds, curl.cpuSeconds, {
      atMost: 1.3,
      unit: "CPU-s",
      beside: compared.cpuSeconds,
    }),
    ...overTls(
      "Over TLS: write + verify within 1.1 times `curl https \\| zstd -dc \\| dd`",
      pallet,
      of("curl-tls-zstd-dd"),
    ),
    ...overTls(
      "Over TLS where AES instructions are hidden: within 1.1 times",
      of("pallet-full-no-aes"),
      of("curl-tls-zstd-dd-no-aes"),
    ),
    amount(
      "All that a profile says: less than 2 s over a stamp alone",
      more(of("pallet-full-profile-placing").wallSeconds, of("pallet-full-stamp-placing").wallSeconds),
      2,
      (seconds) =>
        `${seconds.toFixed(2)} s: ${of("pallet-full-profile-placing").wallSeconds?.toFixed(2)} s, ${of("pallet-full-profile-placing").cpuSeconds?.toFixed(2)} CPU-s`,
    ),
    faster(
      "At least 2 times faster than bmaptool (the faster of .zst and .gz)",
      Math.min(...bmaptool),
      pallet.wallSeconds,
      2,
    ),
    faster("At least 3 times faster than etcher-sdk with verify", of("etcher").wallSeconds, pallet.wallSeconds, 3),
    share("Same image again: under 1 % of the bytes fetched", same.wireBytes, pallet.wireBytes, 0.01),
    amount("… nothing written", same.writtenBytes, 0, (bytes) => `${(bytes / MiB).toFixed(2)} MiB`),
    ratio("… time = one read of the card (within 1.3 times)", same.wallSeconds, of("read-card").wallSeconds, {
      atMost: 1.3,
      unit: "s",
    }),
    amount("27 packages upgraded: at most 30 MiB fetched", upgraded.wireBytes, 30 * MiB, (bytes) => {
      const all = pallet.wireBytes === undefined ? "" : ` of ${(pallet.wireBytes / MiB).toFixed(0)}`;
      return `${(bytes / MiB).toFixed(1)}${all} MiB`;
    }),
    amount(
      "Agent's peak RSS at most 160 MiB",
      Math.max(0, ...peaks) || undefined,
      160 * MiB,
      (bytes) => `${(bytes / MiB).toFixed(0)} MiB`,
    ),
    amount(
      "Digest without SHA instructions at most 0.3 CPU-s a GiB",
      blake3?.cpuSecondsPerGibibyte,
      0.3,
      (seconds) => `${seconds.toFixed(2)} CPU-s a GiB`,
    ),
    ratio(
      "`images add` of a local file within 1.3 times the CPU of `zstd -6` of its data alone",
      added.controllerCpuSeconds === undefined
        ? undefined
        : added.controllerCpuSeconds + (added.commandCpuSeconds ?? 0),
      added.zstdCpuSeconds,
      { atMost: 1.3, unit: "CPU-s" },
    ),
  ];
}

function overTls(aim: string, pallet: Partial<Figures>, curl: Partial<Figures>): readonly Judgement[] {
  return [
    ratio(aim, pallet.wallSeconds, curl.wallSeconds, { atMost: 1.1, unit: "s" }),
    ratio("… and within 1.1 times its CPU", pallet.cpuSeconds, curl.cpuSeconds, { atMost: 1.1, unit: "CPU-s" }),
  ];
}

function ratio(
  aim: string,
  value: number | undefined,
  base: number | undefined,
  { atMost, unit, beside }: { readonly atMost: number; readonly unit: string; readonly beside?: number | undefined },
): Judgement {
  if (value === undefined || base === undefined) return { aim, measured: "not measured" };
  const compared = beside === undefined ? "" : `; ${(beside / base).toFixed(2)} times when the card is compared before`;
  return {
    aim,
    measured: `${(value / base).toFixed(2)} times: ${value.toFixed(1)} to ${base.toFixed(1)} ${unit}${compared}`,
    isMet: value <= atMost * base,
  };
}

function faster(aim: string, theirs: number | undefined, ours: number | undefined, atLeast: number): Judgement {
  if (theirs === undefined || ours === undefined || !Number.isFinite(theirs)) return { aim, measured: "not measured" };
  return {
    aim,
    measured: `${(theirs / ours).toFixed(1)} times: ${ours.toFixed(1)} to ${theirs.toFixed(1)} s`,
    isMet: theirs >= atLeast * ours,
  };
}

function more(value: number | undefined, base: number | undefined): number | undefined {
  return value === undefined || base === undefined ? undefined : value - base;
}

function share(aim: string, part: number | undefined, whole: number | undefined, under: number): Judgement {
  if (part === undefined || whole === undefined) return { aim, measured: "not measured" };
  const percent = ((100 * part) / whole).toFixed(2);
  return { aim, measured: `${percent} %: ${(part / MiB).toFixed(2)} MiB on the wire`, isMet: part < under * whole };
}

function amount(aim: string, value: number | undefined, atMost: number, show: (value: number) => string): Judgement {
  return value === undefined
    ? { aim, measured: "not measured" }
    : { aim, measured: show(value), isMet: value <= atMost };
}
