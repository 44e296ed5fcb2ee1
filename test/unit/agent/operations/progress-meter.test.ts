import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { createProgressMeter } from "../../../../agent/operations/progress-meter.ts";

describe("progress meter", () => {
  it("starts at nothing", () => {
    assert.deepEqual(createProgressMeter().snapshot(0), {
      phase: "starting",
      read: { done: 0, total: 0 },
      written: { done: 0, total: 0 },
      skipped: { done: 0, total: 0 },
      verified: { done: 0, total: 0 },
      bytesPerSecond: 0,
      resumed: 0,
      stages: [],
      rewrittenBytes: 0,
    });
  });

  it("measures the speed of the phase and the time that it will still take", () => {
    const meter = createProgressMeter();
    meter.enter("writing", { written: 100_000 }, 0);
    for (let ms = 100; ms <= 2_000; ms += 100) {
      meter.add("read", 1, ms);
      meter.add("written", 1_000, ms);
    }
    const { bytesPerSecond, etaMs, written, read } = meter.snapshot(2_000);
    assert.equal(bytesPerSecond, 10_000);
    assert.equal(etaMs, 8_000);
    assert.deepEqual(written, { done: 20_000, total: 100_000 });
    assert.deepEqual(read, { done: 20, total: 0 });
  });

  it("follows a change of speed within a few seconds", () => {
    const meter = createProgressMeter();
    meter.enter("writing", { written: 1_000_000 }, 0);
    for (let ms = 100; ms <= 10_000; ms += 100) meter.add("written", 1_000, ms);
    for (let ms = 10_100; ms <= 15_000; ms += 100) meter.add("written", 100, ms);
    assert.ok(Math.abs(meter.snapshot(15_000).bytesPerSecond - 1_000) < 100);
  });

  it("shows a stall: the speed falls to zero and the time to go becomes unknown", () => {
    const meter = createProgressMeter();
    meter.enter("writing", { written: 1_000_000 }, 0);
    for (let ms = 100; ms <= 5_000; ms += 100) meter.add("written", 1_000, ms);
    const speeds = [5_000, 6_000, 7_000, 8_000].map((ms) => meter.snapshot(ms).bytesPerSecond);
    assert.deepEqual(
      speeds,
      [...speeds].sort((a, b) => b - a),
    );
    const stalled = meter.snapshot(10_000);
    assert.equal(stalled.bytesPerSecond, 0);
    assert.equal(stalled.etaMs, undefined);
  });

  it("measures each phase on its own", () => {
    const meter = createProgressMeter();
    meter.enter("writing", { written: 1_000, verified: 1_000 }, 0);
    meter.add("written", 1_000, 1_000);
    meter.enter("syncing", {}, 1_000);
    assert.equal(meter.snapshot(1_500).bytesPerSecond, 0);
    meter.enter("verifying", {}, 2_000);
    meter.add("verified", 500, 2_250);
    assert.equal(meter.snapshot(2_500).bytesPerSecond, 1_000);
    assert.equal(meter.snapshot(2_500).etaMs, 500);
    assert.equal(meter.snapshot(2_500).phase, "verifying");
  });

  it("never shows more than everything, nor time to go when nothing is left", () => {
    const action = fc.record({
      counter: fc.constantFrom("read", "written", "verified"),
      bytes: fc.nat(500),
      afterMs: fc.nat(700),
    });
    fc.assert(
      fc.property(fc.array(action), fc.constantFrom("writing", "verifying"), (actions, phase) => {
        const meter = createProgressMeter();
        meter.enter(phase, { read: 1_000, written: 1_000, verified: 1_000 }, 0);
        let now = 0;
        for (const { counter, bytes, afterMs } of actions) {
          now += afterMs;
          meter.add(counter, bytes, now);
          const shown = meter.snapshot(now);
          assert.ok([shown.read, shown.written, shown.verified].every(({ done, total }) => done <= total));
          assert.ok(shown.bytesPerSecond >= 0 && Number.isSafeInteger(shown.bytesPerSecond));
          assert.ok(shown.etaMs === undefined || (shown.etaMs > 0 && Number.isSafeInteger(shown.etaMs)));
        }
      }),
    );
  });
});
