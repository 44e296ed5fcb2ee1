import assert from "node:assert/strict";
import { judgeSeed } from "./judge-seed.ts";
import { knownOpen } from "./known-open.ts";

/** Fails at the first of the seeds whose history breaks an invariant, and says how to play it again. */
export async function assertSeeds(from: number, count: number): Promise<void> {
  for (let seed = from; seed < from + count; seed += 1) {
    const problem = await judgeSeed(seed, knownOpen);
    if (problem !== undefined) assert.fail(problem);
  }
}
