import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { type Clock, foregroundClock, monotonicClock, systemClock } from "../../../../proto/time/clock.ts";
import { every } from "../../../../proto/time/every.ts";
import { pause } from "../../../../proto/time/pause.ts";
import { settlesWithin } from "../../../../proto/time/settles-within.ts";
import { createManualClock } from "./manual-clock.ts";

const never = new AbortController().signal;

/** One suite for this machine's clocks and the one of the tests. */
const clocks: readonly [name: string, make: () => { clock: Clock; pass(ms: number): Promise<void> }][] = [
  ["the system's", () => ({ clock: systemClock, pass: (ms) => delay(ms) })],
  ["a foreground program's", () => ({ clock: foregroundClock, pass: (ms) => delay(ms) })],
  ["the monotonic one", () => ({ clock: monotonicClock, pass: (ms) => delay(ms) })],
  [
    "the tests'",
    () => {
      const clock = createManualClock();
      return { clock, pass: clock.advanceSettling };
    },
  ],
];

for (const [name, make] of clocks)
  describe(`a clock: ${name}`, () => {
    it("moves on", async () => {
      const { clock, pass } = make();
      const before = clock.now();
      await pass(20);
      assert.ok(clock.now() - before >= 15, `${clock.now() - before} ms`);
    });

    it("calls back once, and not before it is time", async () => {
      const { clock, pass } = make();
      let calls = 0;
      clock.setTimeout(() => (calls += 1), 20, never);
      assert.equal(calls, 0);
      await pass(60);
      await pass(60);
      assert.equal(calls, 1);
    });

    it("does not call back once it was told to stop, with a signal or without", async () => {
      const { clock, pass } = make();
      for (const signal of [undefined, never]) {
        clock.setTimeout(() => assert.fail("called after the stop"), 5, signal)();
        const stop = clock.setTimeout(() => undefined, 5, signal);
        await pass(30);
        stop();
      }
    });

    it("does not call back once the signal has aborted", async () => {
      const { clock, pass } = make();
      const abort = new AbortController();
      clock.setTimeout(() => assert.fail("called after the abort"), 5, abort.signal);
      abort.abort();
      clock.setTimeout(() => assert.fail("armed after the abort"), 5, abort.signal);
      await pass(30);
    });
  });

describe("a pause", () => {
  it("lasts as long as it should", async () => {
    const clock = createManualClock();
    let over = false;
    const paused = pause(clock, 100).then(() => {
      over = true;
    });
    await clock.advanceSettling(99);
    assert.equal(over, false);
    await clock.advanceSettling(1);
    await paused;
  });

  it("rejects with the signal's reason, before and during", async () => {
    const clock = createManualClock();
    const reason = new Error("stop");
    await assert.rejects(pause(clock, 1, AbortSignal.abort(reason)), reason);
    const abort = new AbortController();
    const paused = pause(clock, 1, abort.signal);
    abort.abort(reason);
    await assert.rejects(paused, reason);
    assert.equal(clock.timers(), 0);
  });
});

describe("every", () => {
  it("calls again and again until the signal aborts, be it in a call", () => {
    const clock = createManualClock();
    const abort = new AbortController();
    const calls: number[] = [];
    const startedAt = clock.now();
    every(
      clock,
      10,
      () => {
        calls.push(clock.now() - startedAt);
        if (calls.length === 3) abort.abort();
      },
      abort.signal,
    );
    clock.advance(100);
    assert.deepEqual(calls, [10, 20, 30]);
    assert.equal(clock.timers(), 0);
  });
});

describe("a promise that settles in time", () => {
  for (const [what, promise, expected] of [
    ["resolves", () => Promise.resolve(), true],
    ["rejects", () => Promise.reject(new Error("no")), true],
    ["does neither", () => new Promise(() => undefined), false],
  ] as const)
    it(`${expected ? "does" : "does not"} when it ${what}`, async () => {
      const clock = createManualClock();
      const answer = settlesWithin(clock, 100, promise());
      await clock.advanceSettling(100);
      assert.equal(await answer, expected);
      assert.equal(clock.timers(), 0);
    });
});
