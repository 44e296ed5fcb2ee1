import { parseArgs } from "node:util";

/** What is to be measured. */
export interface BenchOptions {
  readonly sizeBytes: number;
  readonly runs: number;
  /** Ids of contenders, "fleet" and "digests"; undefined for everything. */
  readonly only?: ReadonlySet<string>;
  /** How many agents the fleets have. */
  readonly fleets: readonly number[];
  readonly json?: string;
  readonly markdown?: string;
}

export const help = `npm run bench [-- OPTIONS]: what a write costs, beside other programs, on this machine.

  --json FILE      write every figure of every run
  --markdown FILE  write the tables, as they are in scripts/bench/RESULTS.md
  --size SIZE      size of the image, for example 2048M (default) or 1408M; from 2048M on it has a larger system in it
  --runs N         runs of each contender, medians are told (default 3)
  --only NAMES     only these, separated by commas: ids of contenders, "fleet", "digests"
  --fleet NUMBERS  how many agents the fleets have, separated by commas (default 1,4,16)
  --help           show this

Needs root, Debian 12, cgroup v2, the packages of group "bench" in scripts/debian-packages, and about 60 GB of disk in
.cache/bench for a fleet of 16. The first run builds the image, which takes a quarter of an hour.
`;

/** Parses the command line. Throws an Error with a sentence for the user. */
export function parseOptions(args: readonly string[]): BenchOptions | "help" {
  const { values } = parseArgs({
    args: [...args],
    options: {
      json: { type: "string" },
      markdown: { type: "string" },
      size: { type: "string", default: "2048M" },
      runs: { type: "string", default: "3" },
      only: { type: "string" },
      fleet: { type: "string", default: "1,4,16" },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) return "help";
  const [, mebibytes] = /^([1-9]\d{0,5})M$/.exec(values.size) ?? [];
  if (mebibytes === undefined) throw new Error(`--size ${values.size}: give whole MiB, for example 2048M`);
  return {
    sizeBytes: Number(mebibytes) * 1024 ** 2,
    runs: positive("--runs", values.runs, 99),
    ...(values.only !== undefined && { only: new Set(values.only.split(",")) }),
    fleets: values.fleet.split(",").map((text) => positive("--fleet", text, 64)),
    ...(values.json !== undefined && { json: values.json }),
    ...(values.markdown !== undefined && { markdown: values.markdown }),
  };
}

function positive(option: string, text: string, most: number): number {
  if (!/^\d{1,3}$/.test(text) || Number(text) < 1 || Number(text) > most)
    throw new Error(`${option} ${text}: give a number from 1 to ${most}`);
  return Number(text);
}
