import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import path from "node:path";
import process from "node:process";
import { describe, it } from "node:test";
import { promisify } from "node:util";

const controller = path.resolve(import.meta.dirname, "../../../controller");
/** Keeps some objects for good and many for a while, as a server does; prints the largest heap once that is settled. */
const busy = `
  const lives = Array.from({ length: 300_000 }, (_, index) => ({ index, of: [index] }));
  const passing = [];
  let most = 0;
  for (let round = 0; round < 20_000_000; round++) {
    passing[round % 200_000] = { round, of: [round, lives.length] };
    if (round > 10_000_000 && round % 100_000 === 0) most = Math.max(most, process.memoryUsage().heapTotal);
  }
  console.log(most);
`;

async function mostBytes(...args: readonly string[]): Promise<number> {
  // Threads that collect beside the program leave the more garbage the busier the machine is.
  const node = ["--single-threaded-gc", ...args, "--eval", busy];
  return Number((await promisify(execFile)(process.execPath, node)).stdout);
}

describe("the old generation of the controller's heap", () => {
  it("holds less garbage than V8 would let it", async () => {
    const [by, without] = [await mostBytes("--import", path.join(controller, "old-generation.ts")), await mostBytes()];
    assert.ok(by < 0.75 * without, `${by} bytes instead of ${without}`);
  });

  it("is bounded in the program", async () => {
    assert.match(await readFile(path.join(controller, "main.ts"), "utf8"), /^import "\.\/old-generation\.ts";$/m);
  });
});
