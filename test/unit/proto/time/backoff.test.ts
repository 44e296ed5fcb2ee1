import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { backoff, backoffBoundMs } from "../../../../proto/time/backoff.ts";

const first = (count: number, random: () => number) =>
  backoff({ firstMs: 100, capMs: 1_000, random }).take(count).toArray();

describe("backoff", () => {
  it("doubles up to the cap and stays there", () => {
    assert.deepEqual(
      first(7, () => 0.999_999),
      [100, 200, 400, 800, 1_000, 1_000, 1_000],
    );
  });

  it("draws from the upper half below the bound", () => {
    assert.deepEqual(
      first(5, () => 0),
      [50, 100, 200, 400, 500],
    );
  });

  it("does not overflow, however long the controller stays away", () => {
    const waits = backoff({ firstMs: 1, capMs: 5_000, random: () => 0.5 });
    for (let n = 0; n < 5_000; n += 1) waits.next();
    assert.equal(waits.next().value, 3_750);
  });
});

describe("backoff without a random number", () => {
  it("waits for the whole bound", () => {
    assert.deepEqual(backoff({ firstMs: 100, capMs: 1_000 }).take(6).toArray(), [100, 200, 400, 800, 1_000, 1_000]);
  });

  it("is the bound of each attempt", () => {
    const policy = { firstMs: 250, capMs: 8_000 };
    for (const [index, waitMs] of backoff(policy).take(50).toArray().entries())
      assert.equal(backoffBoundMs(policy, index + 1), waitMs);
    assert.equal(backoffBoundMs(policy, 0), 250);
  });
});
