import assert from "node:assert/strict";
import { describe, it, test } from "node:test";
import fc from "fast-check";
import { createUplink } from "../../../../controller/uplink/uplink.ts";
import type { UplinkLimits } from "../../../../controller/uplink/uplink-limits.ts";
import { createManualClock } from "../../proto/time/manual-clock.ts";

const megabyte = 1_000_000;

interface Writing {
  readonly address: string;
  /** What it would fetch by itself, in bytes per second. */
  readonly wants: number;
  left: number;
}

interface Second {
  readonly writers: number;
  readonly waiting: number;
  readonly bytesPerSecond: number;
  readonly began: number;
  readonly why: string | undefined;
}

/** Has nodes, one after the other as they get their turns, fetch over a link, second by second, until all have. */
function play(options: {
  readonly nodes: readonly { readonly wants: number; readonly bytes: number }[];
  readonly carries: number;
  readonly limits?: UplinkLimits;
  readonly linkSpeed?: number;
}): readonly Second[] {
  const rates = new Map<string, number>();
  const clock = createManualClock(0);
  const uplink = createUplink({
    limits: options.limits ?? {},
    meter: {
      rateOf: (address) => rates.get(address) ?? 0,
      totalRate: () => [...rates.values()].reduce((sum, rate) => sum + rate, 0),
    },
    linkSpeed: () => options.linkSpeed,
    clock,
  });
  const waiting: Writing[] = options.nodes.map(({ wants, bytes }, index) => ({
    address: `10.0.0.${index}`,
    wants,
    left: bytes,
  }));
  let writing: Writing[] = [];
  const seconds: Second[] = [];
  while (waiting.length > 0 || writing.length > 0) {
    const admission =
      waiting.length === 0
        ? { begin: 0 }
        : uplink.admit(
            writing.map(({ address }) => ({ turn: address, address })),
            waiting.length,
          );
    writing.push(...waiting.splice(0, admission.begin));
    rates.clear();
    for (const [node, rate] of share(writing, options.carries)) {
      rates.set(node.address, rate);
      node.left -= rate;
    }
    const bytesPerSecond = [...rates.values()].reduce((sum, rate) => sum + rate, 0);
    seconds.push({
      writers: writing.length,
      waiting: waiting.length,
      bytesPerSecond,
      began: admission.begin,
      why: "why" in admission ? admission.why : undefined,
    });
    writing = writing.filter(({ left }) => left > 0);
    clock.advance(1000);
    assert.ok(seconds.length < 100_000, "it never ends");
  }
  return seconds;
}

/** What a link gives to each when none gets more than another that wants it. */
function share(nodes: readonly Writing[], carries: number): readonly (readonly [Writing, number])[] {
  let left = carries;
  return nodes
    .toSorted((a, b) => a.wants - b.wants)
    .map((node, index) => {
      const rate = Math.min(node.wants, left / (nodes.length - index));
      left -= rate;
      return [node, rate] as const;
    });
}

const alike = (count: number, wants: number, bytes: number) => Array.from({ length: count }, () => ({ wants, bytes }));
const most = (seconds: readonly Second[]) => Math.max(...seconds.map(({ writers }) => writers));

test("whatever nodes fetch, somebody always writes, no limit is exceeded, and all have their turn", () => {
  fc.assert(
    fc.property(
      fc.array(
        fc.record({
          wants: fc.oneof(fc.constant(1000), fc.integer({ min: 1 * megabyte, max: 40 * megabyte })),
          bytes: fc.integer({ min: 1000, max: 500 * megabyte }),
        }),
        { minLength: 1, maxLength: 60 },
      ),
      fc.integer({ min: 5 * megabyte, max: 300 * megabyte }),
      fc.option(fc.integer({ min: 1, max: 10 }), { nil: undefined }),
      fc.option(fc.constant(125 * megabyte), { nil: undefined }),
      (nodes, carries, writers, linkSpeed) => {
        const longest = Math.ceil(nodes.reduce((sum, { wants, bytes }) => sum + bytes / Math.min(wants, carries), 0));
        const seconds = play({
          nodes: nodes.map(({ wants, bytes }) => ({ wants, bytes: Math.min(bytes, wants * 100) })),
          carries,
          ...(writers !== undefined && { limits: { writers } }),
          ...(linkSpeed !== undefined && { linkSpeed }),
        });
        assert.ok(seconds.every((second) => second.writers > 0));
        assert.ok(seconds.every((second) => (second.why === undefined) === (second.waiting === 0)));
        assert.ok(most(seconds) <= (writers ?? Number.POSITIVE_INFINITY));
        assert.ok(seconds.length <= longest + nodes.length + 4 * nodes.length);
      },
    ),
    { numRuns: 200 },
  );
});

const fleets: readonly [title: string, options: Parameters<typeof play>[0], atMost: number, atLeast: number][] = [
  [
    "Pi 4 on a gigabit link",
    { nodes: alike(40, 20 * megabyte, 800 * megabyte), carries: 117 * megabyte, linkSpeed: 125 * megabyte },
    8,
    6,
  ],
  [
    "Pi 3 on a gigabit link",
    { nodes: alike(40, 11.7 * megabyte, 800 * megabyte), carries: 117 * megabyte, linkSpeed: 125 * megabyte },
    12,
    10,
  ],
  [
    "a link that says it is faster than the way",
    { nodes: alike(40, 10 * megabyte, 200 * megabyte), carries: 11.7 * megabyte, linkSpeed: 125 * megabyte },
    24,
    4,
  ],
  [
    "a link that says nothing and is faster",
    { nodes: alike(40, 20 * megabyte, 800 * megabyte), carries: 290 * megabyte },
    20,
    12,
  ],
  [
    "a cap on the total",
    {
      nodes: alike(40, 10 * megabyte, 200 * megabyte),
      carries: 50 * megabyte,
      limits: { totalBytesPerSecond: 50 * megabyte },
    },
    8,
    4,
  ],
];
for (const [title, options, atMost, atLeast] of fleets) {
  test(`${title}: the uplink is full as long as somebody waits, and not swamped`, () => {
    const seconds = play(options);
    assert.ok(most(seconds) <= atMost && most(seconds) >= atLeast, `at most ${most(seconds)} nodes at once`);
    const later = seconds.slice(15).filter(({ waiting }) => waiting > 0);
    const mean = later.reduce((sum, { bytesPerSecond }) => sum + bytesPerSecond, 0) / later.length;
    const usable = options.linkSpeed ?? options.limits?.totalBytesPerSecond ?? options.carries;
    assert.ok(mean >= 0.85 * Math.min(options.carries, usable), `${Math.round(mean / megabyte)} MB/s`);
  });
}

test("nodes whose cards hold the image already are not held back for long", () => {
  const seconds = play({ nodes: alike(40, 10_000, 300_000), carries: 117 * megabyte, linkSpeed: 125 * megabyte });
  assert.ok(seconds.findIndex(({ waiting }) => waiting === 0) <= 30);
});

describe("capacity", () => {
  const capacityOf = (limits: UplinkLimits, linkSpeed?: number) =>
    createUplink({
      limits,
      meter: { rateOf: () => 0, totalRate: () => 0 },
      linkSpeed: () => linkSpeed,
      clock: createManualClock(0),
    }).capacity();
  const cases: readonly [
    limits: UplinkLimits,
    linkSpeed: number | undefined,
    bytesPerSecond: number | undefined,
    source: string,
  ][] = [
    [{}, undefined, undefined, "assumed"],
    [{}, 12_500_000, 12_500_000, "link"],
    [{ uplinkBytesPerSecond: 5_000_000 }, 12_500_000, 5_000_000, "configured"],
    [{ uplinkBytesPerSecond: 50_000_000 }, 12_500_000, 50_000_000, "configured"],
    [{ totalBytesPerSecond: 1_000_000 }, 12_500_000, 1_000_000, "cap"],
    [{ totalBytesPerSecond: 20_000_000 }, 12_500_000, 12_500_000, "link"],
    [{ totalBytesPerSecond: 1_000_000, uplinkBytesPerSecond: 5_000_000 }, undefined, 1_000_000, "cap"],
  ];
  for (const [limits, linkSpeed, bytesPerSecond, source] of cases) {
    it(`is ${source} with ${JSON.stringify(limits)} on a link of ${linkSpeed}`, () => {
      assert.deepEqual(
        capacityOf(limits, linkSpeed),
        bytesPerSecond === undefined ? { source } : { bytesPerSecond, source },
      );
    });
  }
});
