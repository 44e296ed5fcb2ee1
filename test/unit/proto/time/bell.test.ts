import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { createBell } from "../../../../proto/time/bell.ts";

describe("a bell", () => {
  it("wakes everyone who waits for it, once", async () => {
    const bell = createBell();
    const woken: string[] = [];
    const wait = (who: string) => bell.next().then(() => woken.push(who));
    const both = [wait("a"), wait("b")];
    assert.deepEqual(woken, []);
    bell.ring();
    bell.ring();
    await Promise.all(both);
    assert.deepEqual(woken, ["a", "b"]);
  });

  it("does not ring for who comes later", async () => {
    const bell = createBell();
    bell.ring();
    let woken = false;
    const later = bell.next().then(() => {
      woken = true;
    });
    await Promise.resolve();
    assert.equal(woken, false);
    bell.ring();
    await later;
  });

  it("lets go of who aborts, before and during", async () => {
    const bell = createBell();
    await bell.next(AbortSignal.abort());
    const abort = new AbortController();
    const waiting = bell.next(abort.signal);
    abort.abort();
    await waiting;
  });
});
