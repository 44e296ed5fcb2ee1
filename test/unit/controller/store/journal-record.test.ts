import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { reimageFromRecord, reimageToRecord } from "../../../../controller/store/journal-record.ts";
import { noProgress } from "../../../../proto/operation/progress.ts";
import { progressToWire } from "../../../../proto/operation/progress-codec.ts";
import { stateIn } from "../reimage/fakes/sample-states.ts";

// A write in its middle, as journals had it before dfd320e (23 November 2026): written by hand from the shape of that time.
const before =
  '{"phase":"writing","read":{"done":5,"total":10},"written":{"done":7,"total":20},"skipped":{"done":0,"total":0},' +
  '"verified":{"done":0,"total":0},"bytesPerSecond":3,"etaMs":2500,"resumed":1}';

describe("the record of a reimage", () => {
  it("of a version that counted less is read with zeros, and can be sent", () => {
    const record = JSON.stringify({ ...stateIn("writing"), progress: JSON.parse(before) });
    const { progress = noProgress } = reimageFromRecord(record);
    assert.deepEqual(progress, {
      ...JSON.parse(before),
      stages: [],
      rewrittenBytes: 0,
      compared: { done: 0, total: 0 },
    });
    assert.equal(progressToWire(progress).written?.done, 7n);
  });

  it("of a reimage without a resident agent has the key that it always had", () => {
    const state = { ...stateIn("writing"), noResident: { kernelPath: "images/d1/vmlinuz" } };
    const record = reimageToRecord(state);
    assert.deepEqual(JSON.parse(record).untouched, state.noResident);
    assert.equal("noResident" in JSON.parse(record), false);
    assert.deepEqual(reimageFromRecord(record), state);
  });

  it("is read as it was written", () => {
    const stages = [{ stage: "fetch", bytes: 4, busyMs: 5 }] as const;
    const state = { ...stateIn("writing"), progress: { ...noProgress, stages, stalledMs: 21_000, rewrittenBytes: 9 } };
    assert.deepEqual(reimageFromRecord(reimageToRecord(state)), state);
    assert.equal("progress" in reimageFromRecord(reimageToRecord(stateIn("queued"))), false);
  });
});
