import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { describe, it } from "node:test";
import type { LongResult } from "../../../../scripts/long-tests/long-result.ts";
import { parseResults } from "../../../../scripts/long-tests/parse-results.ts";
import { renderAges, renderResults } from "../../../../scripts/long-tests/render-results.ts";

const top = path.resolve(import.meta.dirname, "../../../..");
const commit = "0123456789abcdef0123456789abcdef01234567";
const result: LongResult = {
  file: "test/long/reimage-pi3.test.ts",
  passed: 7,
  failed: 0,
  minutes: 34,
  endedAt: "2026-11-28T12:40Z",
  commit,
  machine: "2 × AMD EPYC, Linux 6.12",
};
const another = { ...result, file: "test/long/another.test.ts", failed: 2 };

describe("the table of long tests", () => {
  it("is read as it was written, in the order of the names", () =>
    assert.deepEqual(parseResults(renderResults([result, another])), [another, result]));
  it("of none is read as well", () => assert.deepEqual(parseResults(renderResults([])), []));
  it("keeps a machine's name from ending its cell", () =>
    assert.equal(parseResults(renderResults([{ ...result, machine: "a|b" }]))[0]?.machine, "a/b"));

  const page = renderResults([result]);
  const refused: readonly (readonly [name: string, page: string, message: RegExp])[] = [
    ["without a table", "# The long tests\n", /has no line "\| Test \|/],
    ["with another file's name", page.replace("test/long/", "test/e2e/"), /line 7 .*test\/e2e\/reimage-pi3/],
    ["with a word for a number", page.replace("| 7 |", "| all |"), /line 7 /],
    ["with a cell too few", page.replace("| 34 ", ""), /line 7 /],
    ["with a short commit", page.replace(commit, "0123456"), /line 7 /],
    ["with a test twice", `${page.trimEnd()}\n${page.trimEnd().split("\n").at(-1)}\n`, /reimage-pi3\.test\.ts twice/],
  ];
  for (const [name, text, message] of refused)
    it(`is refused ${name}`, () => assert.throws(() => parseResults(text), message));

  it("that is checked in can be read, and names tests that there are", () => {
    const results = parseResults(readFileSync(path.join(top, "test/long/RESULTS.md"), "utf8"));
    assert.deepEqual(
      results.map(({ file }) => file).filter((file) => !existsSync(path.join(top, file))),
      [],
    );
  });
});

describe("the age of the long tests' results", () => {
  const rows: readonly (readonly [
    name: string,
    result: LongResult | undefined,
    age: number | undefined,
    said: RegExp,
  ])[] = [
    ["that there are none", undefined, undefined, /^test\/long\/reimage-pi3\.test\.ts: never run$/m],
    ["of a pass", result, 12, /: passed: 7, 12 commits ago \(2026-11-28T12:40Z, 34 min, 2 × AMD EPYC, Linux 6\.12\)$/m],
    ["of a failure", { ...result, failed: 2 }, 1, /: FAILED: 2 of 9, 1 commit ago \(/],
    [
      "of a commit that was never published",
      result,
      undefined,
      /: passed: 7, at 0123456789ab, which is not in this history/,
    ],
  ];
  for (const [name, known, age, said] of rows)
    it(`is told ${name}`, () => {
      const results = known === undefined ? [] : [known];
      assert.match(renderAges([result.file], results, new Map([[commit, age]])), said);
    });
});
