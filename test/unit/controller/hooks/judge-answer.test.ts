import assert from "node:assert/strict";
import { test } from "node:test";
import { judgeAnswer, parseRetryAfter } from "../../../../controller/hooks/judge-answer.ts";

test("an answer is taken, worth another try, or a refusal", () => {
  const table: Readonly<Record<ReturnType<typeof judgeAnswer>, readonly number[]>> = {
    taken: [200, 201, 202, 204, 299],
    later: [429, 500, 502, 503, 504, 599],
    refused: [301, 302, 307, 400, 401, 404, 408, 410, 418],
  };
  for (const [verdict, codes] of Object.entries(table))
    for (const code of codes) assert.equal(judgeAnswer(code), verdict, String(code));
});

test("Retry-After is seconds or a date, an hour at most, and nothing where it cannot be read", () => {
  const now = Date.UTC(2026, 10, 30, 6);
  for (const [header, ms] of [
    ["0", 0],
    ["120", 120_000],
    [" 5 ", 5000],
    ["999999999", 3_600_000],
    ["Mon, 30 Nov 2026 06:00:30 GMT", 30_000],
    ["Mon, 30 Nov 2026 05:00:00 GMT", 0],
    ["-1", 0],
    ["soon", 0],
    ["", 0],
  ] as const)
    assert.equal(parseRetryAfter(header, now), ms, header);
});
