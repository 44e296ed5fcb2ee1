import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { compareNames, sortedByName } from "../../../../proto/names/natural-order.ts";

describe("names", () => {
  for (const [sorted, why] of [
    [["pi-1", "pi-2", "pi-10", "pi-100"], "digits count by their value"],
    [["a", "pi", "pi-1", "pi-1-2", "pi-1-10", "pi-2"], "everywhere in a name"],
    [["pi-01", "pi-1", "pi-2"].toSorted(compareNames), "with leading zeros too"],
    [["debian-12.5", "debian-12.10"], "in versions"],
  ] as const)
    it(`are listed as people count: ${why}`, () => {
      const named = sorted.map((name) => ({ name }));
      assert.deepEqual(sortedByName(named.toReversed()), named);
    });

  it("have one order, whatever order they arrive in", () => {
    const name = fc.stringMatching(/^[a-z][a-z0-9-]{0,8}$/);
    fc.assert(
      fc.property(fc.uniqueArray(name, { maxLength: 8 }), fc.integer({ min: 0, max: 7 }), (names, turn) => {
        const turned = [...names.slice(turn), ...names.slice(0, turn)];
        assert.deepEqual(turned.toSorted(compareNames), names.toSorted(compareNames));
        for (const one of names) for (const other of names) assert.equal(compareNames(one, other) === 0, one === other);
      }),
    );
  });
});
