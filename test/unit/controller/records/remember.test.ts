import assert from "node:assert/strict";
import { it } from "node:test";
import { remember } from "../../../../controller/records/remember.ts";

it("what is remembered last goes last", () => {
  const map = new Map<string, number>();
  for (const [index, key] of ["a", "b", "a", "c", "d"].entries()) remember(map, key, index, 3);
  assert.deepEqual(
    [...map],
    [
      ["a", 2],
      ["c", 3],
      ["d", 4],
    ],
  );
});
