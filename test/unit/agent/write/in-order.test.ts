import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { inOrder } from "../../../../agent/write/in-order.ts";

/** Work on numbers that takes longer for some, and what is under way of it. */
function work(breaksAt = Number.NaN) {
  const state = { underWay: 0, most: 0, started: 0 };
  const start = async (item: number): Promise<number> => {
    state.underWay += 1;
    state.started += 1;
    state.most = Math.max(state.most, state.underWay);
    await delay((item * 7) % 4);
    state.underWay -= 1;
    if (item === breaksAt) throw new Error(`${item} broke`);
    return item;
  };
  return { state, start };
}
const numbers = Array.from({ length: 20 }, (_, index) => index);

describe("work in order", () => {
  it("yields results in the order of the items, with never more under way than allowed", async () => {
    for (const atOnce of [1, 3, 50]) {
      const { state, start } = work();
      const found: number[] = [];
      for await (const result of inOrder(numbers, { atOnce, start })) found.push(result);
      assert.deepEqual(found, numbers);
      assert.equal(state.most, Math.min(atOnce, numbers.length));
    }
  });

  it("has as many under way while the reader is busy", async () => {
    const { state, start } = work();
    for await (const result of inOrder(numbers, { atOnce: 3, start }))
      assert.equal(state.started, Math.min(numbers.length, result + 1 + 3));
  });

  it("waits for what is under way when a piece of work fails, and starts no more", async () => {
    const { state, start } = work(5);
    const read = async () => {
      for await (const _ of inOrder(numbers, { atOnce: 3, start }));
    };
    await assert.rejects(read(), /5 broke/);
    assert.equal(state.underWay, 0);
    assert.equal(state.started, 5 + 3);
  });

  it("waits for it when the reader stops", async () => {
    const { state, start } = work();
    for await (const result of inOrder(numbers, { atOnce: 4, start })) if (result === 2) break;
    assert.equal(state.underWay, 0);
    assert.equal(state.started, 3 + 4);
  });

  it("does nothing for no items", async () => {
    for await (const _ of inOrder([], { atOnce: 3, start: () => assert.fail() })) assert.fail();
  });
});
