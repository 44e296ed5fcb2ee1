import assert from "node:assert/strict";
import { beforeEach, describe, it } from "node:test";
import type { NewEvent } from "../../../../controller/events/event.ts";
import { keepState } from "../../../../controller/serving/keep-state.ts";
import { createManualClock, type ManualClock } from "../../proto/time/manual-clock.ts";

const second = 1000;

describe("the state, kept", () => {
  let clock: ManualClock;
  let events: NewEvent[];
  let logged: string[];
  let trouble: string | undefined;
  let fails: Error | undefined;
  let calls: string[];

  beforeEach(() => {
    clock = createManualClock();
    events = [];
    logged = [];
    calls = [];
    trouble = undefined;
    fails = undefined;
  });

  function keep(lostChanges = 0) {
    const act = (what: string) => () => {
      calls.push(what);
      if (fails !== undefined) throw fails;
    };
    return keepState({
      store: { trouble: () => trouble, checkpoint: act("checkpoint"), backUp: act("copy"), lostChanges },
      events: { append: (event) => void events.push(event), catchUp: act("catch up") },
      clock,
      log: {
        info: (_, message) => logged.push(message),
        error: (_, message) => logged.push(message),
      },
    });
  }
  const count = (what: string) => calls.filter((each) => each === what).length;

  it("moves its log into the database every ten seconds, and is copied at the start and every hour", () => {
    keep();
    assert.equal(count("copy"), 1);
    clock.advance(61 * second);
    assert.ok(count("checkpoint") >= 5 && count("checkpoint") <= 7, String(count("checkpoint")));
    clock.advance(3600 * second);
    assert.equal(count("copy"), 2);
  });

  it("tells once that the disk takes nothing, and once that it does again", () => {
    const keeper = keep();
    trouble = "cannot save to /state: it is full";
    clock.advance(10 * second);
    assert.deepEqual(keeper.waiting(), ["state: cannot save to /state: it is full"]);
    calls = [];
    clock.advance(30 * second);
    assert.deepEqual(calls, [], "what cannot succeed is not tried");
    trouble = undefined;
    clock.advance(10 * second);
    assert.deepEqual(keeper.waiting(), []);
    assert.deepEqual(
      events.map(({ type }) => type),
      ["state-unsaved", "state-saved"],
    );
    assert.match(logged.at(-1) ?? "", /can save its state again, after 4\d s/);
  });

  it("goes on after a failure of its own, and says it", () => {
    keep();
    fails = new Error("odd");
    clock.advance(20 * second);
    assert.ok(logged.some((line) => /could not move the write-ahead log.*odd/.test(line)));
    fails = undefined;
    calls = [];
    clock.advance(20 * second);
    assert.ok(count("checkpoint") >= 1);
  });

  it("tells what it lost, and leaves the copy alone, which may know it", () => {
    keep(7);
    assert.match(
      events.find(({ type }) => type === "state-lost")?.message ?? "",
      /the last 7 changes.*pallet\.sqlite-wal/,
    );
    clock.advance(60 * second);
    assert.equal(count("copy"), 0);
  });

  it("is left alone once it is stopped", () => {
    keep().stop();
    calls = [];
    clock.advance(60 * second);
    assert.deepEqual(calls, []);
  });
});
