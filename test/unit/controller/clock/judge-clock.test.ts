import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  describeClock,
  judgeClock,
  latestSeen,
  parseTime,
  renderTime,
} from "../../../../controller/clock/judge-clock.ts";
import { earliestTime } from "../../../../proto/time/earliest-time.ts";

const at = (text: string): number => Date.parse(`${text}Z`);

describe("the latest time that was seen", () => {
  const rows: readonly [string, noted: string | undefined, event: string | undefined, seen: string | undefined][] = [
    ["is that of an event after the last note, where the power was gone", "12:00:00", "12:09:59", "12:09:59"],
    ["is what was noted at an orderly end, after all events", "12:00:00", "11:59:59", "12:00:00"],
    ["is what somebody has noted who put a wrong time right", "12:00:00", "12:30:00", "12:00:00"],
    ["is that of an event where nothing is noted", undefined, "12:00:00", "12:00:00"],
    ["is what was noted where there is no event", "12:00:00", undefined, "12:00:00"],
    ["is none on a new machine", undefined, undefined, undefined],
  ];
  const time = (text: string | undefined): number | undefined => (text === undefined ? text : at(`2026-11-30T${text}`));
  for (const [title, noted, event, seen] of rows)
    it(title, () => assert.equal(latestSeen(time(noted), time(event)), time(seen)));
});

describe("this machine's clock", () => {
  const seen = at("2026-11-30T12:00:00");
  const rows: readonly [string, system: string, seenMs: number | undefined, isSynchronised: boolean, from?: number][] =
    [
      ["is believed where it goes on", "2026-11-30T12:00:01", seen, false],
      ["is believed after years in which the machine was off", "2033-01-01T00:00:00", seen, false],
      ["is believed on a new machine", "2026-11-30T12:00:00", undefined, false],
      ["is believed after a correction of minutes", "2026-11-30T11:55:00", seen, false],
      ["is behind at the time of the last shutdown but one", "2026-11-30T11:54:59", seen, false, seen],
      ["is behind in 1970", "1970-01-01T00:00:07", seen, false, seen],
      ["is behind in 1970 on a new machine, too", "1970-01-01T00:00:07", undefined, false, earliestTime],
      [
        "is behind before there was a Pallet, whatever was noted",
        "2010-01-01T00:00:00",
        at("1970-01-01T09:00:00"),
        false,
        earliestTime,
      ],
      [
        "is believed when it is synchronised: what was seen is wrong then",
        "2026-11-30T12:00:00",
        at("2099-01-01T00:00:00"),
        true,
      ],
    ];
  for (const [title, system, seenMs, isSynchronised, fromMs] of rows) {
    it(title, () => {
      const verdict = judgeClock({ systemMs: at(system), ...(seenMs !== undefined && { seenMs }), isSynchronised });
      assert.deepEqual(verdict, fromMs === undefined ? { kind: "believed" } : { kind: "behind", fromMs });
    });
  }

  it("that is behind is told with both times, and how to set it", () => {
    const { message, remedy } = describeClock(7_000, seen, "/var/lib/pallet/time");
    assert.match(message, /says 1970-01-01T00:00:07Z, and it was 2026-11-30T12:00:00Z before/);
    assert.match(remedy, /date --set=.* date --utc \+%FT%TZ >\/var\/lib\/pallet\/time$/);
  });
});

describe("a noted time", () => {
  it("is read as it was written, to the second", () => {
    for (const ms of [0, seconds(earliestTime + 1), seconds(Date.now())])
      assert.equal(parseTime(`${renderTime(ms)}\n`), ms);
  });

  for (const text of [
    "",
    "2026-11-30",
    "2026-13-30T00:00:00Z",
    "2026-11-30T12:00:00+01:00",
    "now",
    "2026-11-30T12:00:00Z\n2026",
  ]) {
    it(`is none in ${JSON.stringify(text)}`, () => assert.equal(parseTime(text), undefined));
  }
});

function seconds(ms: number): number {
  return Math.floor(ms / 1000) * 1000;
}
