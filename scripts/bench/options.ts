import { parseArgs } from "node:util";

/** What to measure. */
export interface BenchOptions {
  readonly sizeBytes: number;
  readonly runs: number;
  /** Ids of contenders, "fleet", "digests" and "images-add"; undefined for everything. */
  readonly only?: ReadonlySet<string>;
  /** A raw image to use in the place of the benchmark's own. */
  readonly image?: string;
  /** How many agents the fleets have. */
  readonly fleets: readonly number[];
  readonly json?: string;
  readonly markdown?: string;
}

/** Parses the command line. Throws an Error with a sentence for the user. */
export function parseOptions(args: readonly string[]): BenchOptions | "help" {
  const { values } = parseArgs({
    args: [...args],
    options: {
      json: { type: "string" },
      markdown: { type: "string" },
      image: { type: "string" },
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
    ...(values.image !== undefined && { image: values.image }),
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
