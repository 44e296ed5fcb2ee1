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
      compared: { done: 0, total: 0 },
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

  it("adds up what each stage did, and for how long it had something in hand", () => {
    const meter = createProgressMeter();
    meter.begin("write", 1_000);
    meter.begin("write", 1_200);
    meter.begin("fetch", 1_300);
    assert.deepEqual(meter.snapshot(1_500).stages, [
      { stage: "fetch", bytes: 0, busyMs: 200 },
      { stage: "write", bytes: 0, busyMs: 500 },
    ]);
    meter.end("write", 10, 1_600);
    meter.end("write", 5, 2_000);
    meter.end("fetch", 7, 2_300);
    meter.begin("write", 5_000);
    meter.end("write", 1, 5_001.6);
    assert.deepEqual(meter.snapshot(9_000).stages, [
      { stage: "fetch", bytes: 7, busyMs: 1_000 },
      { stage: "write", bytes: 16, busyMs: 1_002 },
    ]);
  });

  it("tells how long the oldest request has been with the disk once that is over 20 seconds", () => {
    const meter = createProgressMeter();
    const first = meter.askDisk(1_000);
    const second = meter.askDisk(15_000);
    assert.equal(meter.snapshot(21_000).stalledMs, undefined);
    assert.equal(meter.snapshot(21_001).stalledMs, 20_000);
    assert.equal(meter.snapshot(43_999).stalledMs, 42_000);
    first();
    assert.equal(meter.snapshot(35_000).stalledMs, undefined);
    assert.equal(meter.snapshot(36_500).stalledMs, 21_000);
    second();
    assert.equal(meter.snapshot(99_000).stalledMs, undefined);
  });

  it("measures a comparison, which has no count of its own", () => {
    const meter = createProgressMeter();
    meter.enter("comparing", { compared: 1_000 }, 0);
    meter.add("compared", 200, 500);
    const { bytesPerSecond, etaMs } = meter.snapshot(1_000);
    assert.deepEqual([bytesPerSecond, etaMs], [200, 4_000]);
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
