import assert from "node:assert/strict";
import { describe, it, test } from "node:test";
import { chooseWriters, type UplinkUse, type Writer } from "../../../../controller/uplink/choose-writers.ts";
import {
  believedMs,
  type Learnt,
  learnCapacity,
  type Throughput,
} from "../../../../controller/uplink/learn-capacity.ts";
import { formatBitRate, parseBitRate } from "../../../../controller/uplink/parse-bit-rate.ts";

const megabyte = 1_000_000;
const gigabit = 125 * megabyte;

/** So many writers that have fetched at that rate for a while. */
const at = (count: number, bytesPerSecond: number, ageMs = 60_000): readonly Writer[] =>
  Array.from({ length: count }, () => ({ bytesPerSecond, ageMs }));

const cases: readonly [title: string, use: Partial<UplinkUse>, begin: number, heldBy?: string][] = [
  ["nobody waits", { waiting: 0 }, 0],
  ["at first, a few begin", {}, 4, "settling"],
  ["at first, two that wait both begin", { waiting: 2 }, 2],
  ["those who have just begun have yet to show what they take", { writers: at(4, 0, 1000) }, 0, "settling"],
  ["as many more as write begin while they are few", { writers: at(4, 5 * megabyte) }, 4, "settling"],
  ["a quarter as many more begin when they are many", { writers: at(32, 2 * megabyte) }, 8, "settling"],
  ["as many begin as there is room for", { writers: at(5, 20 * megabyte) }, 1, "settling"],
  ["nobody begins when the uplink is full", { writers: at(6, 19 * megabyte) }, 0, "uplink"],
  ["what others take counts, too", { writers: at(1, 20 * megabyte), otherBytesPerSecond: 95 * megabyte }, 0, "uplink"],
  ["one begins in any case", { otherBytesPerSecond: 125 * megabyte }, 1, "uplink"],
  ["one begins in any case on the slowest link", { capacity: 1000 }, 1, "settling"],
  ["nodes that fetch little keep nobody waiting", { writers: at(40, 10_000) }, 10, "settling"],
  [
    "a node that fetches little says nothing about what the next one will",
    { writers: [...at(4, 25 * megabyte), ...at(4, 100_000)] },
    1,
    "settling",
  ],
  ["no more begin than the operator lets", { mostWriters: 2 }, 2, "limit"],
  ["nobody begins when as many write as the operator lets", { mostWriters: 2, writers: at(2, 0) }, 0, "limit"],
  ["nobody begins when more write than the operator lets now", { mostWriters: 2, writers: at(5, 0) }, 0, "limit"],
  ["nodes that are capped take their cap", { capacity: 10 * megabyte, perNodeCap: 3 * megabyte }, 3, "settling"],
];
for (const [title, use, begin, heldBy] of cases) {
  test(`writers: ${title}`, () => {
    const choice = chooseWriters({ capacity: gigabit, otherBytesPerSecond: 0, writers: [], waiting: 100, ...use });
    assert.deepEqual(choice, heldBy === undefined ? { begin } : { begin, heldBy });
  });
}

const seen = (seconds: number, megabytes: number, fetching: number): Throughput => ({
  at: seconds * 1000,
  bytesPerSecond: megabytes * megabyte,
  fetching,
});

describe("what is learnt of the capacity", () => {
  const learn = (...all: readonly Throughput[]): number | undefined =>
    all.reduce<Learnt | undefined>(learnCapacity, undefined)?.full?.bytesPerSecond;

  it("is nothing while more nodes bring more bytes", () => {
    assert.equal(learn(seen(0, 0, 0)), undefined);
    assert.equal(learn(seen(0, 40, 4), seen(3, 80, 8), seen(6, 110, 12)), undefined);
  });

  it("is what goes through when a quarter more nodes bring no more", () => {
    assert.equal(learn(seen(0, 11, 4), seen(1, 11.7, 4), seen(4, 11.6, 8)), 11.6 * megabyte);
    assert.equal(learn(seen(0, 110, 16), seen(4, 109, 19)), undefined);
    assert.equal(learn(seen(0, 110, 16), seen(4, 109, 20)), 110 * megabyte);
  });

  it("counts the fewest nodes that brought as much", () => {
    assert.equal(learn(seen(0, 11.7, 8), seen(4, 11.5, 4), seen(5, 11.6, 6)), 11.7 * megabyte);
  });

  it("is nothing when more nodes bring fewer bytes: they read back what they wrote, or their cards are slow", () => {
    assert.equal(learn(seen(0, 80, 4), seen(60, 32, 4), seen(70, 64, 8)), undefined);
  });

  it("is believed while nodes come and go, but not against what is seen, and not for ever", () => {
    const full = [seen(0, 11.7, 4), seen(4, 11.6, 8)];
    assert.equal(learn(...full, seen(8, 6, 2), seen(9, 11, 3)), 11.7 * megabyte);
    assert.equal(learn(...full, seen(8, 13, 8)), undefined);
    assert.equal(learn(...full, seen(5 + believedMs / 1000, 11.6, 8)), undefined);
  });
});

const rates: readonly [text: string, bytesPerSecond: number | undefined][] = [
  ["500 Mbit/s", 62_500_000],
  ["2.5Gbit/s", 312_500_000],
  ["64 kbit/s", 8000],
  ["60 MB/s", 60_000_000],
  ["1 MiB/s", 1_048_576],
  ["500", undefined],
  ["500 Mbps", undefined],
  ["500mbit", undefined],
  ["500 mbit/s", undefined],
  ["500 MBit/s", undefined],
  ["-1 MB/s", undefined],
  ["1e9 MB/s", undefined],
  ["0x10 MB/s", undefined],
  ["1 toString/s", undefined],
  ["", undefined],
];
for (const [text, bytesPerSecond] of rates) {
  test(`the rate "${text}" is ${bytesPerSecond ?? "none"}`, () => assert.equal(parseBitRate(text), bytesPerSecond));
}

test("rates are said in bits, with three digits", () => {
  const said = [0, 8000, 124_999, 1_250_000, 62_500_000, 124_900_000, 124_990_000, 125_000_000].map(formatBitRate);
  assert.deepEqual(said, [
    "0.00 kbit/s",
    "64.0 kbit/s",
    "1.00 Mbit/s",
    "10.0 Mbit/s",
    "500 Mbit/s",
    "999 Mbit/s",
    "1.00 Gbit/s",
    "1.00 Gbit/s",
  ]);
});
