import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { createGraceClock } from "../../../../controller/clock/grace-clock.ts";

const [minuteMs, yearMs] = [60_000, 365 * 86_400_000];
const start = Date.UTC(2026, 10, 30);

/** What it says after each step: so much time passes, and the clock is set by so much. */
function say(steps: readonly (readonly [passesMs: number, setByMs: number])[]): readonly number[] {
  let [passed, offset] = [0, start];
  const grace = createGraceClock({ now: () => passed + offset }, () => ({ bootId: "boot", ms: passed }));
  return steps.map(([passesMs, setByMs]) => {
    passed += passesMs;
    offset += setByMs;
    return (grace.now() - start) / minuteMs;
  });
}

describe("the time for what was issued before a jump", () => {
  const year = yearMs / minuteMs;
  const rows: readonly [string, Parameters<typeof say>[0], readonly number[]][] = [
    [
      "is the clock's",
      [
        [0, 0],
        [minuteMs, 0],
      ],
      [0, 1],
    ],
    [
      "is the clock's after a correction",
      [
        [minuteMs, 30_000],
        [minuteMs, -30_000],
      ],
      [1.5, 2],
    ],
    [
      "goes on for an hour after the clock was set ahead",
      [
        [minuteMs, yearMs],
        [59 * minuteMs, 0],
        [minuteMs, 0],
      ],
      [1, 60, 61 + year],
    ],
    [
      "goes on through two jumps",
      [
        [minuteMs, yearMs],
        [minuteMs, yearMs],
        [60 * minuteMs, 0],
      ],
      [1, 2, 62 + 2 * year],
    ],
    [
      "is the clock's when that was set back",
      [
        [minuteMs, yearMs],
        [minuteMs, -yearMs],
      ],
      [1, 2],
    ],
  ];
  for (const [title, steps, expected] of rows) it(title, () => assert.deepEqual(say(steps), expected));
});
