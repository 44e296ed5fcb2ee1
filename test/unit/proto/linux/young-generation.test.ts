import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import path from "node:path";
import process from "node:process";
import { describe, it } from "node:test";
import { promisify } from "node:util";

const top = path.resolve(import.meta.dirname, "../../../..");
const module = path.join(top, "proto/linux/young-generation.ts");
/** Allocates 400 MB and keeps a little of it for a while, as a server does; prints how large the young generation is. */
const busy = `
  let kept = [];
  for (let round = 0; round < 2_000_000; round++) {
    kept.push({ round, text: [round, round, round, round] });
    if (kept.length > 20_000) kept = [];
  }
  const space = require("node:v8").getHeapSpaceStatistics().find(({ space_name }) => space_name === "new_space");
  console.log(space.space_size);
`;

/** The median of five runs: a collection that is under way has both of its halves. */
async function youngBytesAfter(...args: readonly string[]): Promise<number> {
  const runs: number[] = [];
  for (let run = 0; run < 5; run += 1)
    runs.push(Number((await promisify(execFile)(process.execPath, [...args, "--eval", busy])).stdout));
  return runs.toSorted((one, other) => one - other)[2] ?? 0;
}

describe("the young generation of the heap", () => {
  it("stays as small as it begins in a program that is busy", async () => {
    const MiB = 1024 * 1024;
    assert.ok((await youngBytesAfter()) >= 16 * MiB, "it stays small by itself: the module is not needed");
    assert.ok((await youngBytesAfter("--import", module)) <= 8 * MiB);
  });

  for (const program of ["agent", "controller"]) {
    it(`is kept small before anything else of the ${program} is loaded`, async () => {
      const main = await readFile(path.join(top, program, "main.ts"), "utf8");
      const [first] = main.match(/^import (?!type).*$/m) ?? [];
      assert.equal(first, 'import "../proto/linux/young-generation.ts";');
    });
  }
});
