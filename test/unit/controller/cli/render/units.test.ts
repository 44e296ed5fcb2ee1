import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  formatAge,
  formatBytes,
  formatCount,
  formatDuration,
  formatMoment,
  formatRate,
  formatTimeLeft,
} from "../../../../../controller/cli/render/units.ts";

function holds<T>(render: (value: T) => string, rows: readonly (readonly [T, string])[]): void {
  for (const [value, expected] of rows) it(`${expected}`, () => assert.equal(render(value), expected));
}

describe("bytes have three significant digits", () => {
  holds(formatBytes, [
    [0, "0 B"],
    [512, "512 B"],
    [1023, "1023 B"],
    [1024, "1.00 KiB"],
    [1536, "1.50 KiB"],
    [1024 * 1023.7, "1.00 MiB"],
    [2 ** 20 * 9.996, "10.0 MiB"],
    [2 ** 20 * 99.96, "100 MiB"],
    [31_914_983_424, "29.7 GiB"],
    [2 ** 60 * 5, "5120 PiB"],
    [Number.NaN, "?"],
    [-1, "?"],
  ]);
});

describe("durations have their two largest units", () => {
  holds(formatDuration, [
    [0, "0s"],
    [-5, "0s"],
    [41_000, "41s"],
    [60_000, "1m"],
    [72_400, "1m 12s"],
    [7_500_000, "2h 5m"],
    [3_601_000, "1h"],
    [86_400_000 * 3 + 3_600_000 * 4, "3d 4h"],
  ]);
});

describe("time left reads like a clock", () => {
  holds(formatTimeLeft, [
    [0, "0:00"],
    [400, "0:01"],
    [41_000, "0:41"],
    [727_000, "12:07"],
    [3_723_000, "1:02:03"],
  ]);
});

describe("ages", () => {
  const now = Date.parse("2026-11-23T00:20:00Z");
  holds(
    (time: string | null) => formatAge(time, now),
    [
      [null, "never"],
      ["2026-11-23T00:19:59.500Z", "now"],
      ["2026-11-23T00:21:00Z", "now"],
      ["2026-11-23T00:18:48Z", "1m 12s ago"],
    ],
  );
});

it("a rate is always in MiB/s, so that rows compare", () => assert.equal(formatRate(86_100_000), "82.1 MiB/s"));
it("a moment is in UTC to the second", () => assert.equal(formatMoment(1_795_392_000_500), "2026-11-23T00:00:00Z"));
it("counts know their plural", () => {
  assert.deepEqual(
    [formatCount(1, "node"), formatCount(0, "node"), formatCount(2, "copy", "copies")],
    ["1 node", "0 nodes", "2 copies"],
  );
});
