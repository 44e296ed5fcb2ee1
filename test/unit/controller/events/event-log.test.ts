import assert from "node:assert/strict";
import { beforeEach, describe, it } from "node:test";
import { createEventLog, type EventLog, type EventSelection } from "../../../../controller/events/event-log.ts";
import { openStore, type Store } from "../../../../controller/store/open-store.ts";
import type { NodeId } from "../../../../proto/names/node-id.ts";
import { createManualClock } from "../../proto/time/manual-clock.ts";

const nodeId = "b8:27:eb:00:00:01" as NodeId;

describe("event log", () => {
  let store: Store;
  let log: EventLog;
  beforeEach(() => {
    store = openStore(":memory:");
    log = createEventLog({ rows: store.events, clock: createManualClock(1000) });
  });

  const append = (count: number, more: { nodeId?: NodeId; rolloutId?: string } = {}): void => {
    for (let each = 0; each < count; each++) {
      log.append({ type: "node-registered", severity: "info", message: "m", ...more });
    }
  };
  const ids = (selection?: EventSelection): number[] => [...log.list(selection)].map((event) => event.id);

  /** Takes so many events and then ends the follower. */
  const take = async (count: number, selection: EventSelection = {}): Promise<number[]> => {
    const stop = new AbortController();
    const taken: number[] = [];
    for await (const event of log.follow(selection, stop.signal)) {
      taken.push(event.id);
      if (taken.length === count) stop.abort();
    }
    return taken;
  };

  it("gives an event its id and time", () => {
    const event = log.append({ type: "node-registered", severity: "info", message: "m" });
    const by = { kind: "controller" };
    assert.deepEqual(event, { id: 1, at: 1000, type: "node-registered", severity: "info", message: "m", by });
    assert.deepEqual([...log.list()], [event]);
  });

  it("lists oldest first, by page, without what is appended meanwhile", () => {
    append(1234);
    const seen: number[] = [];
    for (const event of log.list()) {
      if (seen.length === 0) append(5);
      seen.push(event.id);
    }
    assert.deepEqual(
      seen,
      Array.from({ length: 1234 }, (_, index) => index + 1),
    );
  });

  for (const [name, selection, expected] of [
    ["after an id", { afterId: 4 }, [5, 6]],
    ["the last two", { limit: 2 }, [5, 6]],
    ["the last two of a node", { limit: 2, nodeId }, [2, 3]],
    ["the last of a rollout", { limit: 1, rolloutId: "r" }, [6]],
    ["a limit above what exists", { limit: 100 }, [1, 2, 3, 4, 5, 6]],
    ["a limit of 0, which is none", { limit: 0 }, [1, 2, 3, 4, 5, 6]],
    ["both limits", { limit: 3, afterId: 5 }, [6]],
    ["nobody's", { limit: 3, rolloutId: "other" }, []],
  ] as const) {
    it(`lists ${name}`, () => {
      append(3, { nodeId });
      append(3, { rolloutId: "r" });
      assert.deepEqual(ids(selection), expected);
    });
  }

  it("follows: what exists, then what comes, none missing and none twice", async () => {
    append(700);
    const following = take(1500);
    for (let burst = 0; burst < 8; burst++) {
      await new Promise(setImmediate);
      append(100);
    }
    assert.deepEqual(
      await following,
      Array.from({ length: 1500 }, (_, index) => index + 1),
    );
  });

  it("follows from the last few on", async () => {
    append(10);
    const following = take(4, { limit: 2 });
    await new Promise(setImmediate);
    append(2);
    assert.deepEqual(await following, [9, 10, 11, 12]);
  });

  it("wakes a follower of one node by that node's events only", async () => {
    const following = take(2, { nodeId });
    for (const more of [{}, { nodeId }, { rolloutId: "r" }, { nodeId }]) {
      await new Promise(setImmediate);
      append(1, more);
    }
    assert.deepEqual(await following, [2, 4]);
  });

  it("serves a slow and a quick follower alike", async () => {
    const slow: number[] = [];
    const stop = new AbortController();
    const slowly = (async () => {
      for await (const event of log.follow({}, stop.signal)) {
        slow.push(event.id);
        await new Promise(setImmediate);
        if (slow.length === 20) stop.abort();
      }
    })();
    const quick = take(20);
    append(20);
    assert.equal((await quick).length, 20);
    await slowly;
    assert.deepEqual(slow, await take(20));
  });

  it("ends a follower without an error when its signal aborts, before or while it waits", async () => {
    assert.deepEqual(await log.follow({}, AbortSignal.abort())[Symbol.asyncIterator]().next(), {
      done: true,
      value: undefined,
    });
    const stop = new AbortController();
    const waiting = log.follow({}, stop.signal)[Symbol.asyncIterator]().next();
    await new Promise(setImmediate);
    stop.abort();
    assert.deepEqual(await waiting, { done: true, value: undefined });
  });

  it("stays bounded, also over a restart", () => {
    log = createEventLog({ rows: store.events, clock: createManualClock(), keepAtMost: 10 });
    append(100);
    assert.ok(ids().length <= 11, `${ids().length} events`);
    assert.equal(ids().at(-1), 100);
    createEventLog({ rows: store.events, clock: createManualClock(), keepAtMost: 3 });
    assert.deepEqual(ids(), [98, 99, 100]);
  });
});
