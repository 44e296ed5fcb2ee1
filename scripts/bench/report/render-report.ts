import type { Figures } from "../measure/figures.ts";
import { medians } from "../measure/statistics.ts";
import type { FleetFigures } from "../runs/fleet.ts";
import type { DigestCost } from "../runs/measure-digests.ts";
import type { ImportCost } from "../runs/measure-imports.ts";
import type { Row } from "../runs/run-rounds.ts";
import type { Judgement } from "./judge-aims.ts";
import type { Pair } from "./price-of-tls.ts";
import { renderTable } from "./render-table.ts";

/** Everything that was measured, as the JSON file has it too. */
export interface Report {
  /** ISO 8601. */
  readonly measuredAt: string;
  readonly commit: string;
  readonly command: string;
  /** Short sentences, one a line. */
  readonly machine: readonly string[];
  readonly image: readonly string[];
  readonly rows: readonly Row[];
  readonly fleets: readonly FleetFigures[];
  readonly digests: readonly DigestCost[];
  readonly imports: readonly ImportCost[];
  readonly prices: readonly Pair[];
  readonly aims: readonly Judgement[];
  readonly notes: readonly string[];
}

const MiB = 1024 ** 2;
const missing = "–";

/** The report as Markdown. */
export function renderReport(report: Report): string {
  const list = (lines: readonly string[]) => lines.map((line) => `- ${line}`).join("\n");
  const sections = [
    "# What a write costs",
    `Measured ${report.measuredAt} at ${report.commit} by \`${report.command}\`, which also repeats it.`,
    list([...report.machine, ...report.image]),
    "## One card",
    renderRows(report.rows),
    list(report.notes),
    ...(report.prices.length === 0 ? [] : ["## The price of TLS", renderPrices(report.prices)]),
    "## Aims",
    renderTable(
      ["aim", "measured", ""],
      report.aims.map(({ aim, measured, isMet }) => [aim, measured, verdict(isMet)]),
    ),
    ...(report.fleets.length === 0 ? [] : ["## A fleet", renderFleets(report.fleets)]),
    ...(report.digests.length === 0 ? [] : ["## Digests", renderDigests(report.digests)]),
    ...(report.imports.length === 0 ? [] : ["## Adding an image", renderImports(report.imports)]),
  ];
  return `${sections.filter((section) => section !== "").join("\n\n")}\n`;
}

function verdict(isMet: boolean | undefined): string {
  if (isMet === undefined) return missing;
  return isMet ? "met" : "**not met**";
}

function renderRows(rows: readonly Row[]): string {
  const header = [
    ...["", "reads back", "wall s (min–max)", "CPU-s", "server CPU-s"],
    ...["wire MiB", "written MiB", "read MiB", "peak RSS MiB"],
  ];
  return renderTable(
    header,
    rows.map(({ title, verifies, runs, absence }) => {
      if (runs.length === 0) return [title, verifies ? "yes" : "no", absence ?? missing];
      const figures = medians<keyof Figures>(runs);
      const walls = runs.map(({ wallSeconds = 0 }) => wallSeconds);
      const spread = runs.length < 2 ? "" : ` (${Math.min(...walls).toFixed(1)}–${Math.max(...walls).toFixed(1)})`;
      return [
        title,
        verifies ? "yes" : "no",
        `${decimal(figures.wallSeconds)}${spread}`,
        decimal(figures.cpuSeconds),
        decimal(figures.serverCpuSeconds),
        mebibytes(figures.wireBytes),
        mebibytes(figures.writtenBytes),
        mebibytes(figures.readBytes),
        mebibytes(figures.peakResidentBytes),
      ];
    }),
  );
}

/** Pallet reads back what it wrote, and curl's pipeline does not. */
function renderPrices(prices: readonly Pair[]): string {
  const figures = [
    ["wall s", "wallSeconds", decimal],
    ["CPU-s", "cpuSeconds", decimal],
    ["sender's CPU-s", "serverCpuSeconds", decimal],
    ["wire MiB", "wireBytes", mebibytes],
  ] as const;
  return renderTable(
    ["Pallet's write + verify to `curl \\| zstd -dc \\| dd`", ...figures.map(([name]) => name)],
    prices.map(({ title, pallet, curl }) => [
      title,
      ...figures.map(([, name, show]) => {
        const [ours, theirs] = [pallet[name], curl[name]];
        const times = ours === undefined || !theirs ? missing : `${(ours / theirs).toFixed(2)} times`;
        return `${times}: ${show(ours)} to ${show(theirs)}`;
      }),
    ]),
  );
}

function renderFleets(fleets: readonly FleetFigures[]): string {
  const header = [
    ...["agents", "all written and verified, s", "median node, s", "wire, Mb/s"],
    ...["wire MiB", "controller CPU-s", "agents' CPU-s"],
  ];
  return renderTable(
    header,
    fleets.map((fleet) => [
      String(fleet.agents),
      decimal(fleet.wallSeconds),
      decimal(fleet.medianNodeSeconds),
      ((fleet.wireBytesPerSecond * 8) / 1e6).toFixed(0),
      mebibytes(fleet.wireBytes),
      decimal(fleet.controllerCpuSeconds),
      decimal(fleet.agentCpuSeconds),
    ]),
  );
}

function renderDigests(digests: readonly DigestCost[]): string {
  return renderTable(
    ["digest", "chunk KiB", "CPU-s a GiB"],
    digests.map(({ digest, chunkBytes, cpuSecondsPerGibibyte }) => [
      digest,
      String(chunkBytes / 1024),
      cpuSecondsPerGibibyte.toFixed(2),
    ]),
  );
}

function renderImports(imports: readonly ImportCost[]): string {
  const { wallSeconds, controllerCpuSeconds, commandCpuSeconds, zstdCpuSeconds, dataBytes } =
    medians<keyof ImportCost>(imports);
  return renderTable(
    ["", "data MiB", "wall s", "controller CPU-s", "command CPU-s"],
    [
      [
        "`images add` of a local file",
        mebibytes(dataBytes),
        ...[wallSeconds, controllerCpuSeconds, commandCpuSeconds].map(decimal),
      ],
      ["`zstd -6` of its data alone", mebibytes(dataBytes), missing, missing, decimal(zstdCpuSeconds)],
    ],
  );
}

function decimal(value: number | undefined): string {
  return value === undefined ? missing : value.toFixed(1);
}

/** Whole MiB, but what is little in hundredths: there nothing and a little are not the same. */
function mebibytes(bytes: number | undefined): string {
  if (bytes === undefined) return missing;
  return bytes >= 10 * MiB || bytes === 0 ? (bytes / MiB).toFixed(0) : (bytes / MiB).toFixed(2);
}
