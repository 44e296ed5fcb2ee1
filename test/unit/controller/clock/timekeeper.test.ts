import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { createSteadyClock } from "../../../../controller/clock/steady-clock.ts";
import { keepTime } from "../../../../controller/clock/timekeeper.ts";
import { createManualClock, settle } from "../../proto/time/manual-clock.ts";

const minuteMs = 60_000;
const yearMs = 365 * 24 * 60 * minuteMs;
const seen = Date.UTC(2026, 10, 30, 12);

/** A controller that starts on a machine whose clock says `systemMs`, with what was noted before. */
async function start(systemMs: number, noted: number | undefined, newest?: number) {
  const running = createManualClock(0);
  let offset = systemMs;
  let isSynchronised = false;
  let note = noted;
  const said: string[] = [];
  const say = (_: object, message: string): void => void said.push(message);
  const system = { ...running, now: () => running.now() + offset };
  const clock = createSteadyClock(system, running);
  const write = (at: number): void => {
    note = at;
  };
  const timekeeper = await keepTime({
    ...{ clock, system, newestEventAt: () => newest, isSynchronised: async () => isSynchronised },
    file: { path: "/state/time", read: () => note, write },
    log: { info: say, warn: say },
  });
  return {
    ...{ clock, timekeeper, said },
    noted: () => note,
    async pass(ms: number) {
      await running.advanceSettling(ms);
      await settle();
    },
    set(ms: number, synchronised = false) {
      offset = ms - running.now();
      isSynchronised = synchronised;
    },
  };
}

describe("the controller's time", () => {
  it("is this machine's clock, and is noted for the next start", async () => {
    const { clock, timekeeper, said, noted, pass } = await start(seen + 5, seen);
    await pass(11 * minuteMs);
    assert.deepEqual(
      [clock.now(), noted(), timekeeper.waiting(), said],
      [seen + 5 + 11 * minuteMs, seen + 5 + 10 * minuteMs, [], []],
    );
    timekeeper.stop();
    assert.equal(noted(), clock.now());
  });

  it("goes on from what was noted where the clock has lost it, and says so", async () => {
    const { clock, timekeeper, said, noted, pass } = await start(7_000, seen);
    await pass(20 * minuteMs);
    assert.equal(clock.now(), seen + 20 * minuteMs);
    assert.equal(noted(), seen + 20 * minuteMs);
    assert.match(
      timekeeper.waiting()[0] ?? "",
      /^clock: this machine's clock says 1970-01-01T00:20:07Z, and it was 2026-/,
    );
    assert.equal(said.length, 1);
  });

  it("goes on from the newest event of a state that notes no time yet", async () => {
    assert.equal((await start(7_000, undefined, seen)).clock.now(), seen);
  });

  it("is the clock again once that is later, by years too", async () => {
    const { clock, timekeeper, said, pass, set } = await start(7_000, seen);
    set(seen + 3 * yearMs);
    assert.equal(clock.now(), seen + 3 * yearMs);
    await pass(minuteMs);
    assert.deepEqual([timekeeper.waiting(), clock.now()], [[], seen + 3 * yearMs + minuteMs]);
    assert.match(said.at(-1) ?? "", /is believed again: it is 2029-/);
  });

  it("does not follow a clock that is set back while it runs, unless that is synchronised", async () => {
    const { clock, timekeeper, pass, set } = await start(seen, seen);
    await pass(minuteMs);
    set(seen - yearMs);
    await pass(minuteMs);
    assert.equal(timekeeper.waiting().length, 1);
    assert.ok(clock.now() >= seen + minuteMs);
    set(seen - yearMs, true);
    await pass(minuteMs);
    assert.deepEqual([timekeeper.waiting(), clock.now()], [[], seen - yearMs + minuteMs]);
  });

  it("leaves every timer alone", async () => {
    const { clock, pass, set } = await start(7_000, seen);
    let isDue = false;
    const fire = (): void => {
      isDue = true;
    };
    clock.setTimeout(fire, 5 * minuteMs);
    set(seen + 3 * yearMs);
    await pass(4 * minuteMs);
    assert.equal(isDue, false);
    await pass(minuteMs);
    assert.equal(isDue, true);
  });
});
