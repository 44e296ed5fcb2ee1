import assert from "node:assert/strict";
import { describe, it, test } from "node:test";
import fc from "fast-check";
import { chooseLane, type Lane } from "../../../../controller/uplink/choose-lane.ts";
import { createPacer, type RateCaps } from "../../../../controller/uplink/pacer.ts";
import { spend, toleranceMs, waitMs } from "../../../../controller/uplink/token-bucket.ts";
import { createManualClock } from "../../proto/time/manual-clock.ts";

describe("token bucket", () => {
  it("lets bytes pass at its rate, and not more than its tolerance ahead", () => {
    let paidAt = 0;
    const passedAt: number[] = [];
    for (let now = 0; now < 1000; now += 1) {
      while (waitMs(paidAt, now) === 0) {
        paidAt = spend(paidAt, 1000, 100_000, now);
        passedAt.push(now);
      }
    }
    assert.deepEqual(passedAt.slice(0, 8), [0, 0, 0, 0, 0, 0, 10, 20]);
    assert.equal(passedAt.length, 1000 / 10 + toleranceMs / 10);
  });

  it("saves nothing up while nothing passes", () => {
    const paidAt = spend(spend(0, 1000, 1000, 0), 1000, 1000, 3_600_000);
    assert.equal(waitMs(paidAt, 3_600_000), 1000 - toleranceMs);
  });
});

const lane = (served: number, paidAt?: number): Lane => ({ served, paidAt });

const choices: readonly [title: string, lanes: readonly Lane[], totalPaidAt: number | undefined, chosen: unknown][] = [
  ["nobody", [], 0, undefined],
  ["the one who had least", [lane(5), lane(3), lane(4)], 0, { lane: lane(3) }],
  ["the first of those who had the same", [lane(3), lane(3, 0)], 0, { lane: lane(3) }],
  ["the one who had least of those whose cap allows it", [lane(3, 9000), lane(7, 0)], 0, { lane: lane(7, 0) }],
  ["nobody until the total allows it", [lane(3)], 1100 + toleranceMs, { waitMs: 100 }],
  ["nobody until the first cap allows it", [lane(3, 1300), lane(4, 1200)], undefined, { waitMs: 200 - toleranceMs }],
  ["nobody until both allow it", [lane(3, 1300)], 1200, { waitMs: 300 - toleranceMs }],
];
for (const [title, lanes, totalPaidAt, chosen] of choices) {
  test(`the next one to be served is ${title}`, () => {
    assert.deepEqual(chooseLane(lanes, totalPaidAt, 1000), chosen);
  });
}

interface Grant {
  readonly at: number;
  readonly node: string;
  readonly bytes: number;
}

/** Lets nodes, with so many connections each, ask for as much as they can get for a while. */
async function play(caps: RateCaps, connections: readonly number[], ms: number, sizes: readonly number[] = [1]) {
  const clock = createManualClock(0);
  const pacer = createPacer({ caps, clock });
  const end = new AbortController();
  const grants: Grant[] = [];
  let asked = 0;
  const download = async (node: string): Promise<void> => {
    while (!end.signal.aborted) {
      const size = sizes[asked++ % sizes.length] ?? 1;
      const bytes = Math.max(1, Math.round(size * pacer.pieceBytes));
      await pacer.take(node, bytes, end.signal);
      grants.push({ at: clock.now(), node, bytes });
    }
  };
  const downloads = connections.flatMap((count, index) =>
    Array.from({ length: count }, () => download(`node-${index}`).catch(() => undefined)),
  );
  await clock.advanceSettling(ms);
  end.abort();
  await Promise.all(downloads);
  return { grants, pieceBytes: pacer.pieceBytes };
}

const sum = (grants: readonly Grant[]) => grants.reduce((total, { bytes }) => total + bytes, 0);

/** The most that ever went through beyond the rate: the depth that a bucket must have to allow it. */
function burstBytes(grants: readonly Grant[], bytesPerSecond: number): number {
  let level = 0;
  let most = 0;
  let last = 0;
  for (const { at, bytes } of grants) {
    level = Math.max(0, level - ((at - last) / 1000) * bytesPerSecond) + bytes;
    last = at;
    most = Math.max(most, level);
  }
  return most;
}

test("whatever nodes ask for, no cap is exceeded, none is left unused, and who waits gets as much as the others", async () => {
  const rate = fc.integer({ min: 50_000, max: 20_000_000 });
  await fc.assert(
    fc.asyncProperty(
      fc.oneof(
        fc.record({ totalBytesPerSecond: rate }),
        fc.record({ perNodeBytesPerSecond: rate }),
        fc.record({ totalBytesPerSecond: rate, perNodeBytesPerSecond: rate }),
      ),
      fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 8 }),
      // Of a range that is sent, only the last piece is a small one.
      fc.array(fc.double({ min: 0.05, max: 1, noNaN: true }), { maxLength: 2 }),
      async (caps: RateCaps, connections, sizes) => {
        const { totalBytesPerSecond = Number.POSITIVE_INFINITY, perNodeBytesPerSecond = Number.POSITIVE_INFINITY } =
          caps;
        const { grants, pieceBytes } = await play(caps, connections, 1500, [1, 1, ...sizes]);
        const depth = (bytesPerSecond: number) => (toleranceMs / 1000) * bytesPerSecond + pieceBytes + 1;
        if (totalBytesPerSecond < Number.POSITIVE_INFINITY)
          assert.ok(burstBytes(grants, totalBytesPerSecond) <= depth(totalBytesPerSecond));
        const shares = connections.map((_, index) => grants.filter(({ node }) => node === `node-${index}`));
        if (perNodeBytesPerSecond < Number.POSITIVE_INFINITY)
          for (const share of shares)
            assert.ok(burstBytes(share, perNodeBytesPerSecond) <= depth(perNodeBytesPerSecond));
        const possible = Math.min(totalBytesPerSecond, perNodeBytesPerSecond * connections.length);
        assert.ok(sum(grants) >= 0.95 * 1.5 * possible - connections.length * pieceBytes, "a cap is left unused");
        const got = shares.map(sum);
        // What a bucket lets through ahead may go to who asks first; who is held back by its own cap is so by a timer's
        // lateness more or less.
        const ahead = (bytesPerSecond: number) =>
          bytesPerSecond < Number.POSITIVE_INFINITY ? 0.11 * bytesPerSecond : 0;
        const slack = 4 * pieceBytes + ahead(perNodeBytesPerSecond) + ahead(totalBytesPerSecond);
        assert.ok(Math.max(...got) - Math.min(...got) <= slack, `shares of ${got.join(", ")}`);
      },
    ),
    { numRuns: 12, endOnFailure: true },
  );
});

test("a node with many connections gets no more than one with a single one", async () => {
  const { grants } = await play({ totalBytesPerSecond: 2_000_000 }, [1, 4, 16], 20_000, [1, 0.3]);
  const shares = [0, 1, 2].map((index) => sum(grants.filter(({ node }) => node === `node-${index}`)) / sum(grants));
  for (const share of shares) assert.ok(Math.abs(share - 1 / 3) < 0.01, `shares of ${shares.join(", ")}`);
});

test("one who comes later gets its share at once, and nothing for the time before", async () => {
  const clock = createManualClock(0);
  const pacer = createPacer({ caps: { totalBytesPerSecond: 1_000_000 }, clock });
  const end = new AbortController();
  const got = { early: 0, late: 0 };
  const download = async (node: keyof typeof got): Promise<void> => {
    for (;;) {
      await pacer.take(node, 10_000, end.signal);
      got[node] += 10_000;
    }
  };
  const early = download("early").catch(() => undefined);
  await clock.advanceSettling(10_000);
  const late = download("late").catch(() => undefined);
  const before = got.early;
  await clock.advanceSettling(1000);
  end.abort();
  await Promise.all([early, late]);
  assert.ok(Math.abs(got.early - before - got.late) <= 20_000, `${got.early - before} and ${got.late}`);
});

test("one who gives up is not waited for and costs nothing", async () => {
  const clock = createManualClock(0);
  const pacer = createPacer({ caps: { totalBytesPerSecond: 10_000 }, clock });
  const patient = new AbortController().signal;
  await pacer.take("a", 4096, patient);
  const gone = new AbortController();
  const given = pacer.take("b", 4096, gone.signal);
  const next = pacer.take("c", 4096, patient);
  gone.abort(new Error("gone"));
  await assert.rejects(given, /gone/);
  await assert.rejects(pacer.take("b", 1, gone.signal), /gone/);
  await clock.advanceSettling(410);
  await Promise.race([next, Promise.reject(new Error("it waits for one who has gone"))]);
});
