import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { backoff } from "../../../../agent/time/backoff.ts";

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
