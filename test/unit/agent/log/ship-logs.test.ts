import assert from "node:assert/strict";
import { describe, it, type TestContext } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { createLogBuffer } from "../../../../agent/log/log-buffer.ts";
import type { LogReport, LogReportAnswer } from "../../../../agent/log/log-report.ts";
import { createLogShipper, type ShippingSettings } from "../../../../agent/log/ship-logs.ts";
import type { Session } from "../../../../agent/registration/enrollment.ts";
import { monotonicClock } from "../../../../proto/time/clock.ts";
import type { LogLevel } from "../../../../proto/words/log-level.ts";
import { anEntry } from "./an-entry.ts";

const session: Session = { bootMac: "02:00:00:00:00:01", instanceId: "i" };
/** Longer than any test. */
const neverMs = 1e6;

/** What the controller does with a report: answers, or is not reached. */
type Deed = LogReportAnswer | Error | Promise<LogReportAnswer>;

/** A shipper on its way to a controller that follows a script and then takes everything. */
function aShipper(
  test: TestContext,
  { deeds = [], ...given }: Partial<ShippingSettings> & { readonly deeds?: readonly Deed[] } = {},
) {
  const buffer = createLogBuffer({ records: 50, bytes: 1e9 });
  const reports: LogReport[] = [];
  const said: string[] = [];
  const waiting = new Set<() => void>();
  const say = (_: unknown, message?: string) => void said.push(message ?? String(_));
  const shipper = createLogShipper({
    buffer,
    async reportLogs(report, signal) {
      reports.push(report);
      for (const look of waiting) look();
      const deed = await Promise.race([
        deeds[reports.length - 1] ?? "taken",
        new Promise<never>((_, reject) => signal.addEventListener("abort", () => reject(signal.reason))),
      ]);
      if (deed instanceof Error) throw deed;
      return deed;
    },
    settings: {
      batch: { records: 3, bytes: 1e9 },
      intervalMs: 20,
      gapMs: 0,
      backoff: { firstMs: 5, capMs: 5, random: () => 0 },
      ...given,
    },
    log: { info: say, warn: say } as never,
    clock: monotonicClock,
  });
  test.after(() => shipper.stop());
  const append = (count: number, level: LogLevel = "info") => {
    for (let number = 0; number < count; number++) {
      buffer.append(anEntry("m", level), monotonicClock.now());
      shipper.appended(level);
    }
  };
  /** Resolves once so many reports have been sent. */
  const sent = (count: number) =>
    new Promise<void>((resolve) => {
      const look = () => {
        if (reports.length >= count) resolve();
      };
      waiting.add(look);
      look();
    });
  const batches = () => reports.map(({ records }) => records.map(({ sequence }) => sequence));
  return { buffer, shipper, reports, said, append, sent, batches };
}

describe("log shipper", () => {
  it("sends what was logged before the registration, as soon as that is done", async (test) => {
    const { shipper, append, sent, batches, reports } = aShipper(test, { intervalMs: neverMs });
    append(2);
    await delay(5);
    assert.equal(reports.length, 0);
    shipper.enrolled(session);
    await sent(1);
    assert.deepEqual(batches(), [[1, 2]]);
    const [{ bootMac, instanceId, droppedCount } = {}] = reports;
    assert.deepEqual([bootMac, instanceId, droppedCount], [session.bootMac, session.instanceId, 0]);
  });

  it("lets records wait for others, for so long", async (test) => {
    const { shipper, append, sent, batches, reports } = aShipper(test, { intervalMs: 1000 });
    shipper.enrolled(session);
    append(1);
    await delay(5);
    append(1);
    assert.equal(reports.length, 0);
    await sent(1);
    assert.deepEqual(batches(), [[1, 2]]);
  });

  for (const level of ["warn", "error", "fatal"] as const) {
    it(`does not let "${level}" wait`, async (test) => {
      const { shipper, append, sent, batches } = aShipper(test, { intervalMs: neverMs });
      shipper.enrolled(session);
      append(1);
      append(1, level);
      await sent(1);
      assert.deepEqual(batches(), [[1, 2]]);
    });
  }

  it("sends full batches at once, one after the other in order, and the rest later", async (test) => {
    const { shipper, append, sent, batches, buffer } = aShipper(test, { intervalMs: neverMs });
    shipper.enrolled(session);
    append(8);
    await sent(2);
    await delay(5);
    assert.deepEqual(batches(), [
      [1, 2, 3],
      [4, 5, 6],
    ]);
    assert.equal(buffer.size, 2);
  });

  it("keeps a distance between batches", async (test) => {
    const { shipper, append, sent } = aShipper(test, { gapMs: 25 });
    shipper.enrolled(session);
    append(9, "error");
    const before = performance.now();
    await sent(3);
    assert.ok(performance.now() - before >= 45);
  });

  it("sends again what did not arrive, the same numbers, and says so once", async (test) => {
    const refused = new Error("connection refused");
    const { shipper, append, sent, batches, said, buffer } = aShipper(test, { deeds: [refused, refused, refused] });
    shipper.enrolled(session);
    append(2);
    await sent(4);
    await delay(0);
    assert.deepEqual(batches(), Array(4).fill([1, 2]));
    assert.equal(buffer.size, 0);
    assert.deepEqual(said, [
      "the log did not reach the controller; retrying",
      "the log is reaching the controller again",
    ]);
  });

  it("tells how many were dropped while the controller was away", async (test) => {
    const { shipper, append, sent, reports } = aShipper(test, { intervalMs: neverMs });
    append(60);
    shipper.enrolled(session);
    await sent(1);
    assert.deepEqual([reports[0]?.droppedCount, reports[0]?.records[0]?.sequence], [10, 11]);
  });

  for (const answer of ["unknown", "unsupported"] as const) {
    it(`waits for the next registration when the controller answers "${answer}"`, async (test) => {
      const { shipper, append, sent, batches } = aShipper(test, { deeds: [answer] });
      shipper.enrolled(session);
      append(1, "warn");
      await sent(1);
      await delay(15);
      assert.deepEqual(batches(), [[1]]);
      append(1, "warn");
      shipper.enrolled({ ...session });
      await sent(2);
      assert.deepEqual(batches(), [[1], [1, 2]]);
    });
  }

  it("does not lose a registration that was made while an older one was refused", async (test) => {
    const { promise, resolve } = Promise.withResolvers<LogReportAnswer>();
    const { shipper, append, sent, batches } = aShipper(test, { deeds: [promise] });
    shipper.enrolled(session);
    append(1, "warn");
    await sent(1);
    shipper.enrolled({ ...session });
    resolve("unknown");
    await sent(2);
    assert.deepEqual(batches(), [[1], [1]]);
  });

  it("drops and counts a batch that will never be taken, and goes on with the next", async (test) => {
    const { shipper, append, sent, batches, reports } = aShipper(test, { deeds: ["refused"] });
    shipper.enrolled(session);
    append(4, "error");
    await sent(2);
    assert.deepEqual(batches(), [[1, 2, 3], [4]]);
    assert.equal(reports[1]?.droppedCount, 3);
  });

  describe("flush", () => {
    it("sends everything without waiting, and resolves when it has arrived", async (test) => {
      const { shipper, append, batches, buffer } = aShipper(test, { intervalMs: neverMs, gapMs: neverMs });
      shipper.enrolled(session);
      append(5);
      assert.equal(await shipper.flush(5000), true);
      assert.deepEqual(batches(), [
        [1, 2, 3],
        [4, 5],
      ]);
      assert.equal(buffer.size, 0);
    });

    it("has nothing to do when there is nothing", async (test) => {
      assert.equal(await aShipper(test).shipper.flush(0), true);
    });

    it("does not wait for a registration", async (test) => {
      const { shipper, append } = aShipper(test);
      append(1);
      assert.equal(await shipper.flush(neverMs), false);
    });

    it("tries at once, also while it would wait before the next attempt, and ends with that", async (test) => {
      const refused = new Error("connection refused");
      const { shipper, append, sent } = aShipper(test, {
        deeds: [refused, refused],
        backoff: { firstMs: neverMs, capMs: neverMs, random: () => 0 },
      });
      shipper.enrolled(session);
      append(1, "warn");
      await sent(1);
      await delay(0);
      assert.equal(await shipper.flush(neverMs), false);
      assert.equal(await shipper.flush(neverMs), true);
    });

    it("ends after its time, whatever the controller does", async (test) => {
      const { shipper, append } = aShipper(test, { deeds: [new Promise(() => {})] });
      shipper.enrolled(session);
      append(1);
      assert.equal(await shipper.flush(20), false);
    });
  });

  it("stops at once, also while it sends or waits", async (test) => {
    const { shipper, append, sent } = aShipper(test, { deeds: [new Promise(() => {})] });
    shipper.enrolled(session);
    append(1, "warn");
    await sent(1);
    await shipper.stop();
    assert.equal(await shipper.flush(neverMs), false);
    await aShipper(test).shipper.stop();
  });
});
