// The table of what is known of each board says nothing that no test shows.
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { describe, it } from "node:test";

const checkout = path.resolve(import.meta.dirname, "../..");
const folder = path.join(checkout, "controller/boot");
const page = readFileSync(path.join(folder, "README.md"), "utf8");

const boards = ["Simulated Pi 3 and 4", "QEMU `virt`", "QEMU `raspi3b`", "Real Pi 2, 3, 4, 5"];
/** What a test shows, which therefore names it. */
const shown = /\b(real|emulated|imitated|log)\b/;
const unshown = /\b(documentation|not verified|not there)\b/;

/** Rows of the table whose head names the boards: cells of each, the stage first. */
function rowsOf(markdown: string): readonly (readonly string[])[] {
  const lines = markdown.split("\n");
  const head = lines.findIndex((line) => boards.every((board) => line.includes(board)));
  assert.notEqual(head, -1, "the page has no table of boards and stages");
  const end = lines.findIndex((line, index) => index > head && !line.startsWith("|"));
  return lines.slice(head + 2, end).map((line) =>
    line
      .split("|")
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );
}

describe("the table of boards, stages and kinds of evidence", () => {
  const rows = rowsOf(page);
  const files = new Map([...page.matchAll(/^\[([\w-]+)\]: (\S+\.test\.ts)$/gm)].map(([, name, file]) => [name, file]));

  it("has all stages of a node's journey, and what may befall it", () => {
    assert.ok(rows.length >= 15);
    for (const row of rows) assert.equal(row.length, 1 + boards.length, row[0]);
  });

  for (const [stage, ...cells] of rows) {
    it(`names the kind of evidence, and the test where there is one: ${stage}`, () => {
      for (const cell of cells) {
        for (const part of cell.split("; ")) assert.match(part, new RegExp(`${shown.source}|${unshown.source}`), cell);
        const tests = [...cell.matchAll(/\[([\w-]+)\]/g)].map(([, name]) => name);
        assert.equal(
          tests.length > 0,
          shown.test(cell),
          `"${cell}" names no test, or no kind of evidence that tests give`,
        );
        for (const name of tests) assert.ok(files.has(name), `[${name}] leads nowhere`);
      }
    });
  }

  it("leads to tests that exist, each of them named", () => {
    for (const [name, file = ""] of files) {
      assert.ok(existsSync(path.join(folder, file)), `there is no ${file}`);
      assert.ok(
        rows.flat().some((cell) => cell.includes(`[${name}]`)),
        `no cell names [${name}]`,
      );
    }
  });
});
