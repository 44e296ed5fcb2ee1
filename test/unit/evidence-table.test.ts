// The tables of what is known of each board and image say nothing that no test shows.
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { describe, it } from "node:test";

const checkout = path.resolve(import.meta.dirname, "../..");
const folder = path.join(checkout, "controller/boot");
const page = readFileSync(path.join(folder, "README.md"), "utf8");

const boards = ["Simulated Pi 3, 4, 5", "QEMU `virt`", "QEMU `raspi3b`", "Real Pi 2, 3, 4, 5"];
const imageStages = ["Imported", "Up from the card", "Proof", "Power cycles"];
/** What a test shows, which therefore names it. */
const shown = /\b(real|emulated|imitated|log)\b/;
const unshown = /\b(documentation|not verified|not there)\b/;

/** Rows of the table whose head has these columns: cells of each, what the row is about first. */
function rowsOf(markdown: string, columns: readonly string[]): readonly (readonly string[])[] {
  const lines = markdown.split("\n");
  const head = lines.findIndex((line) => columns.every((column) => line.includes(`| ${column}`)));
  assert.notEqual(head, -1, `the page has no table of ${columns.join(", ")}`);
  const end = lines.findIndex((line, index) => index > head && !line.startsWith("|"));
  return lines.slice(head + 2, end).map((line) =>
    line
      .split("|")
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );
}

describe("the tables of boards, images, stages and kinds of evidence", () => {
  const ofBoards = rowsOf(page, boards);
  const ofImages = rowsOf(page, imageStages);
  const rows = [...ofBoards, ...ofImages];
  const files = new Map([...page.matchAll(/^\[([\w-]+)\]: (\S+\.test\.ts)$/gm)].map(([, name, file]) => [name, file]));

  it("have all stages of a node's journey and what may befall it, and every kind of image", () => {
    assert.ok(ofBoards.length >= 15);
    for (const row of ofBoards) assert.equal(row.length, 1 + boards.length, row[0]);
    for (const image of ["The demo", "32-bit", "Bare kernel", "Raspberry Pi OS itself"])
      assert.ok(
        ofImages.some(([name = ""]) => name.startsWith(image)),
        image,
      );
    for (const row of ofImages) assert.equal(row.length, 1 + imageStages.length, row[0]);
  });

  for (const [stage, ...cells] of rows) {
    it(`name the kind of evidence, and the test where there is one: ${stage}`, () => {
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

  it("lead to tests that exist, each of them named", () => {
    for (const [name, file = ""] of files) {
      assert.ok(existsSync(path.join(folder, file)), `there is no ${file}`);
      assert.ok(
        rows.flat().some((cell) => cell.includes(`[${name}]`)),
        `no cell names [${name}]`,
      );
    }
  });
});
