import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Figures } from "../../../../scripts/bench/measure/figures.ts";
import { parseOptions } from "../../../../scripts/bench/options.ts";
import { explainWalls } from "../../../../scripts/bench/report/explain-walls.ts";
import { judgeAims } from "../../../../scripts/bench/report/judge-aims.ts";
import { priceOfTls } from "../../../../scripts/bench/report/price-of-tls.ts";
import { renderReport } from "../../../../scripts/bench/report/render-report.ts";
import { renderTable } from "../../../../scripts/bench/report/render-table.ts";
import type { Row } from "../../../../scripts/bench/runs/run-rounds.ts";

const MiB = 1024 ** 2;

function row(id: string, figures: Partial<Figures>): Row {
  return { id, title: id, verifies: true, runs: [figures] };
}

const rows = [
  row("curl-zstd-dd", { wallSeconds: 10, cpuSeconds: 4 }),
  row("curl-tls-zstd-dd", { wallSeconds: 10, cpuSeconds: 5, serverCpuSeconds: 1, wireBytes: 560 * MiB }),
  row("curl-tls-zstd-dd-no-aes", { wallSeconds: 12, cpuSeconds: 5 }),
  row("pallet-full-stamp-placing", { wallSeconds: 0.5, cpuSeconds: 0.1 }),
  row("pallet-full-profile-placing", { wallSeconds: 1.75, cpuSeconds: 0.25 }),
  row("bmaptool-zst", { wallSeconds: 26 }),
  row("bmaptool-gz", { wallSeconds: 22 }),
  row("etcher", { wallSeconds: 35 }),
  row("pallet-full", { wallSeconds: 12, cpuSeconds: 6, wireBytes: 600 * MiB, peakResidentBytes: 150 * MiB }),
  row("pallet-full-no-aes", { wallSeconds: 13, cpuSeconds: 5 }),
  row("pallet-same", { wallSeconds: 2, wireBytes: 1 * MiB, writtenBytes: 0, peakResidentBytes: 161 * MiB }),
  row("read-card", { wallSeconds: 2 }),
  row("pallet-upgraded", { wireBytes: 30 * MiB }),
];
const imports = [
  { wallSeconds: 20, controllerCpuSeconds: 20, commandCpuSeconds: 2, zstdCpuSeconds: 20, dataBytes: 2 ** 30 },
];
const digests = [{ digest: "BLAKE3", chunkBytes: 65_536, cpuSecondsPerGibibyte: 0.31 }];

describe("the aims", () => {
  it("are each met or not, with what was measured", () => {
    const judged = judgeAims(rows, digests, imports).map(({ isMet, measured }) => [isMet, measured]);
    assert.deepEqual(judged, [
      [true, "1.20 times: 12.0 to 10.0 s"],
      [false, "1.50 times: 6.0 to 4.0 CPU-s"],
      [false, "1.20 times: 12.0 to 10.0 s"],
      [false, "1.20 times: 6.0 to 5.0 CPU-s"],
      [true, "1.08 times: 13.0 to 12.0 s"],
      [true, "1.00 times: 5.0 to 5.0 CPU-s"],
      [true, "1.25 s: 1.75 s, 0.25 CPU-s"],
      [false, "1.8 times: 12.0 to 22.0 s"],
      [false, "2.9 times: 12.0 to 35.0 s"],
      [true, "0.17 %: 1.00 MiB on the wire"],
      [true, "0.00 MiB"],
      [true, "1.00 times: 2.0 to 2.0 s"],
      [true, "30.0 of 600 MiB"],
      [false, "161 MiB"],
      [false, "0.31 CPU-s a GiB"],
      [true, "1.10 times: 22.0 to 20.0 CPU-s"],
    ]);
  });

  it("are neither met nor missed where nothing was measured", () => {
    const judged = judgeAims([], [], []);
    assert.ok(judged.every(({ isMet, measured }) => isMet === undefined && measured === "not measured"));
  });
});

describe("the report", () => {
  const report = {
    measuredAt: "2026-11-23T05:00Z",
    commit: "abcdef0",
    command: "npm run bench",
    machine: ["Machine: one."],
    image: ["Image: one."],
    rows: [...rows, { id: "x", title: "x", verifies: false, runs: [], absence: "not to be had" }],
    fleets: [
      {
        agents: 4,
        wallSeconds: 60,
        medianNodeSeconds: 58.04,
        wireBytes: 2400 * MiB,
        wireBytesPerSecond: 50e6,
        controllerCpuSeconds: 8,
        agentCpuSeconds: 20,
      },
    ],
    digests,
    imports,
    prices: priceOfTls(rows),
    aims: judgeAims(rows, digests, imports),
    notes: ["A note."],
  };

  it("has a line for every row, also for one that was not to be had", () => {
    const text = renderReport(report);
    for (const { title } of report.rows) assert.match(text, new RegExp(`^\\| ${title} +\\|`, "m"));
    assert.match(text, /^\| x +\| no +\| not to be had/m);
    assert.match(text, /^\| 4 +\| 60\.0 +\| 58\.0 +\| 400 +\|/m);
    assert.match(text, /^\| `images add` of a local file +\| 1024 +\| 20\.0 +\| 20\.0 +\| 2\.0 +\|/m);
    assert.match(text, /\*\*not met\*\*/);
    assert.match(text, /^\| TLS +\| 1\.20 times: 12\.0 to 10\.0 +\| 1\.20 times: 6\.0 to 5\.0 +\|/m);
    assert.match(text, /^\| TLS, AES instructions hidden +\| 1\.08 times: 13\.0 to 12\.0 +\|/m);
  });

  it("leaves out what was not asked for", () => {
    assert.doesNotMatch(
      renderReport({ ...report, fleets: [], digests: [], imports: [], prices: [] }),
      /fleet|Digests|Adding|price/,
    );
  });
});

describe("the price of TLS", () => {
  it("is told of what was measured by both", () => {
    const plain = row("pallet-full-plain", { wallSeconds: 9 });
    const titles = (of: readonly Row[]) => priceOfTls(of).map(({ title }) => title);
    assert.deepEqual(titles([...rows, plain]), ["plain", "TLS", "TLS, AES instructions hidden"]);
    assert.deepEqual(titles(rows), ["TLS", "TLS, AES instructions hidden"]);
    assert.deepEqual(titles([plain, row("curl-zstd-dd", { wallSeconds: 10 })]), []);
  });
});

describe("what the wall times consist of", () => {
  const measured = [
    ...rows.filter(({ id }) => id !== "pallet-full"),
    row("pallet-full", { wallSeconds: 12, serverCpuSeconds: 0.94 }),
    row("pallet-full-write-only", { wallSeconds: 8 }),
  ];

  it("is told with what was measured", () => {
    assert.equal(
      explainWalls(measured),
      "Of the 12.0 s of Pallet's write + verify, 4.0 s are the reading back; up to there, flush included, it is " +
        "1.3 times faster than `curl | zstd -dc | dd` and 3.3 times faster than bmaptool (.zst). The sender's 0.9 CPU-s " +
        "are in that time too, for it has no cores of its own here.",
    );
    const alone = explainWalls(measured.filter(({ id }) => id.startsWith("pallet")));
    assert.match(alone ?? "", /4\.0 s are the reading back\. The sender/);
  });

  it("is left out where it was not", () => {
    assert.equal(explainWalls(rows), undefined);
  });
});

describe("a table", () => {
  it("lines its columns up and takes short rows", () => {
    assert.equal(
      renderTable(["a", "long title"], [["xyzt", "1"], ["b"]]),
      "| a    | long title |\n| ---- | ---------- |\n| xyzt | 1          |\n| b    |            |",
    );
  });
});

describe("the options", () => {
  it("default to the whole benchmark", () => {
    assert.deepEqual(parseOptions([]), { sizeBytes: 2048 * MiB, runs: 3, fleets: [1, 4, 16] });
  });

  it("are taken as they are given", () => {
    assert.deepEqual(
      parseOptions([
        "--size",
        "1408M",
        "--runs",
        "1",
        "--only",
        "pallet,fleet",
        "--fleet",
        "2",
        "--json",
        "a.json",
        "--image",
        "b.img",
      ]),
      {
        sizeBytes: 1408 * MiB,
        runs: 1,
        only: new Set(["pallet", "fleet"]),
        fleets: [2],
        json: "a.json",
        image: "b.img",
      },
    );
  });

  it("are refused with a sentence where they make no sense", () => {
    assert.throws(() => parseOptions(["--size", "2G"]), /--size 2G/);
    assert.throws(() => parseOptions(["--runs", "0"]), /--runs 0/);
    assert.throws(() => parseOptions(["--fleet", "1,x"]), /--fleet x/);
    assert.throws(() => parseOptions(["--sizes", "1"]));
  });
});
