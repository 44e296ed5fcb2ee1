// The model of the world: test/README.md says what is in it, and how to play one seed again.
import assert from "node:assert/strict";
import process from "node:process";
import { test } from "node:test";
import { planWorld } from "./accidents.ts";
import { renderHistory } from "./history/render-history.ts";
import { assertSeeds } from "./judge-seeds.ts";
import { play } from "./play.ts";
import { createRandom } from "./random.ts";

const wanted = process.env["WORLD_SEED"];

test("whatever happens to a rack, no verdict is untrue and no intact node is taken out of service", async () => {
  if (wanted === undefined) return assertSeeds(1, 100);
  return assertSeeds(Number(wanted), 1);
});

test("a seed is a history: played again, everything happens as it did", async () => {
  const plan = planWorld(4, createRandom(4).fork("plan"));
  assert.equal(renderHistory(await play(plan)), renderHistory(await play(plan)));
});
