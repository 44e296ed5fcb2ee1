// What is known to have broken a parser once, and two seconds of the same inputs for each group of parsers. Long runs, with
// inputs of their own, are `npm run fuzz`.
import assert from "node:assert/strict";
import { after, describe, it } from "node:test";
import { inspect } from "node:util";
import { groups } from "./families.ts";
import { createPlayer } from "./frame/player.ts";
import { inputOf, readSavedInputs } from "./frame/saved-inputs.ts";

const groupMs = 2_000;
/** One seed for ever: what a change breaks, it breaks in its own run, not in somebody else's. */
const seed = 13;

const player = createPlayer(new URL("families.ts", import.meta.url).href);
after(() => player.close());

describe("inputs that broke a parser once", () => {
  const known = new Set<string>(Object.values(groups).flatMap((families) => families.map(({ name }) => name)));
  for (const [index, saved] of readSavedInputs().entries()) {
    it(`${saved.family}, number ${index}: ${saved.error}`, async () => {
      assert.ok(known.has(saved.family), `there is no family "${saved.family}" any more; the input belongs to another`);
      assert.equal(await player.check(saved.family, inputOf(saved)), undefined);
    });
  }
});

for (const [group, families] of Object.entries(groups)) {
  describe(`whatever comes from outside, ${group}`, () => {
    for (const { name } of families) {
      it(name, async () => {
        const finding = await player.play(name, seed, groupMs / families.length);
        if (finding === undefined) return;
        const { path, input, error } = finding;
        assert.fail(`seed ${seed}, path ${path}: ${error}\nthe input: ${inspect(input, { maxStringLength: 1_000 })}`);
      });
    }
  });
}
