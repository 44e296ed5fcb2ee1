import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { closestWord } from "../../../../proto/names/closest-word.ts";

describe("closestWord", () => {
  for (const [word, expected] of [
    ["listen", "listen"],
    ["lisetn", "listen"],
    ["LISTEN", "listen"],
    ["liste", "listen"],
    ["listener", "listen"],
    ["grpcProt", "grpcPort"],
    ["hearing", undefined],
    ["", undefined],
  ] as const) {
    it(`takes ${JSON.stringify(word)} for ${expected ?? "nothing"}`, () => {
      assert.equal(closestWord(word, ["grpcPort", "listen"]), expected);
    });
  }
});
