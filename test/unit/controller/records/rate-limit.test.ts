import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { createRateLimit } from "../../../../controller/records/rate-limit.ts";

describe("a rate limit", () => {
  const perAddress = { burst: 4, perSecond: 2 };
  /** How many of a hundred attempts of each address are admitted at that time. */
  const admitted = (limit: ReturnType<typeof createRateLimit>, at: number, ...addresses: string[]): number[] =>
    addresses.map((address) => Array.from({ length: 100 }, () => limit.admits(address, at)).filter(Boolean).length);

  it("lets each address have so many at once, and then so many a second", () => {
    const limit = createRateLimit({ perAddress });
    assert.deepEqual(admitted(limit, 0, "a", "b"), [4, 4]);
    assert.deepEqual(admitted(limit, 1000, "a", "b", "c"), [2, 2, 4]);
    assert.deepEqual(admitted(limit, 100_000, "a"), [4]);
  });

  it("lets all together have no more than their share, whatever addresses they take", () => {
    const limit = createRateLimit({ perAddress, inAll: { burst: 6, perSecond: 1 } });
    assert.deepEqual(admitted(limit, 0, "a", "b", "c"), [4, 2, 0]);
    assert.deepEqual(admitted(limit, 1000, "d", "e"), [1, 0]);
  });

  it("takes nothing from anybody when the clock is set back, and gives nothing", () => {
    const limit = createRateLimit({ perAddress });
    assert.deepEqual(admitted(limit, 1e9, "a"), [4]);
    assert.deepEqual(admitted(limit, 0, "a"), [0]);
    assert.deepEqual(admitted(limit, 500, "a"), [1]);
  });
});
