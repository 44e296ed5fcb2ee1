import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { formatTook, tookMs } from "../../../../../controller/cli/rollout/took.ts";

const at = (text: string) => `2026-11-23T${text}Z`;
const now = Date.parse(at("00:20:00"));

describe("how long a rollout took", () => {
  for (const [name, given, since, expected] of [
    ["by the controller's measure", { tookMs: 61_000, startedAt: at("00:00:00"), endedAt: at("00:10:00") }, 0, "1m 1s"],
    [
      "by its measure, whatever a clock that was set says",
      { tookMs: 61_000, startedAt: "2016-11-25T00:00:00Z", endedAt: at("00:10:00") },
      0,
      "1m 1s",
    ],
    ["by its measure, and since then", { tookMs: 61_000, startedAt: at("00:00:00"), endedAt: null }, 5000, "1m 6s"],
    [
      "by the times of an older controller",
      { tookMs: null, startedAt: at("00:00:00"), endedAt: at("00:10:00") },
      0,
      "10m",
    ],
    ["until now, by them", { tookMs: null, startedAt: at("00:00:00"), endedAt: null }, 0, "20m"],
    [
      "not by a clock that was set forward",
      { tookMs: null, startedAt: "2016-11-25T00:00:00Z", endedAt: at("00:10:00") },
      0,
      "?",
    ],
    ["not by a clock that was set back", { tookMs: null, startedAt: at("00:10:00"), endedAt: at("00:00:00") }, 0, "?"],
    ["not by two clocks", { tookMs: null, startedAt: at("00:30:00"), endedAt: null }, 0, "?"],
    ["not without a start", { tookMs: null, startedAt: null, endedAt: null }, 0, "?"],
  ] as const)
    it(`is told ${name}: ${expected}`, () => assert.equal(formatTook(tookMs(given, now, since)), expected));
});
