import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { admitConnection, type OpenConnection } from "../../../../proto/connections/admit-connection.ts";

const limits = { all: 5, perAddress: 3 };
const pi = "10.77.0.11";
const other = "10.77.0.12";
const third = "10.77.0.13";

/** Whose, how long it is open, and how long idle; without the last it is at work. */
type Row = readonly [address: string, ageMs: number, idleMs?: number];

const open = (rows: readonly Row[]): readonly OpenConnection[] =>
  rows.map(([address, ageMs, idleMs]) => ({ address, ageMs, ...(idleMs !== undefined && { idleMs }) }));

describe("whether one more connection may be open", () => {
  // biome-ignore format: a table
  const cases: readonly (readonly [title: string, rows: readonly Row[], verdict: string])[] = [
    ["may, where there is none", [], "admitted"],
    ["may, below both limits", [[pi, 9], [pi, 8], [other, 7], [other, 6]], "admitted"],
    ["may not, where its address works on all that it may have", [[pi, 9], [pi, 8], [pi, 7]], "refused"],
    ["may in place of its address's longest idle one", [[pi, 9], [pi, 8, 5], [pi, 7, 6], [other, 90, 90]], "in place of 7"],
    ["may in place of an idle one of whoever has most", [[other, 9], [other, 8, 1], [other, 7, 2], [third, 90, 90], [third, 6]], "in place of 7"],
    ["may in place of the oldest of whoever has most, if all work", [[other, 9], [other, 8], [other, 7], [third, 90], [third, 6]], "in place of 9"],
    ["may in place of anybody's idle one, if all of whoever has most work", [[other, 9], [other, 8], [other, 7], [third, 90, 0], [third, 6]], "in place of 90"],
    ["may in place of anybody's idle one, where nobody has two more", [[other, 9], [other, 8, 1], [third, 7, 2], [third, 90], [pi, 6]], "in place of 7"],
    ["may not, where all work and nobody has two more", [[other, 9], [other, 8], [third, 7], [third, 90], [pi, 6]], "refused"],
  ];
  for (const [title, rows, verdict] of cases)
    it(`it ${title}`, () => {
      const admission = admitConnection(open(rows), pi, limits);
      const taken = admission.admitted ? admission.givesWay : undefined;
      const said = admission.admitted ? (taken === undefined ? "admitted" : `in place of ${taken.ageMs}`) : "refused";
      assert.equal(said, verdict);
    });

  it("exceeds no limit, and lets in every address that has least, whatever the others do", () => {
    const connection = fc.record(
      { address: fc.constantFrom(other, third), ageMs: fc.nat(1000), idleMs: fc.nat(1000) },
      { requiredKeys: ["address", "ageMs"] },
    );
    fc.assert(
      fc.property(fc.array(connection, { maxLength: 5 }), (rows) => {
        const before = rows as readonly OpenConnection[];
        fc.pre([other, third].every((address) => before.filter((one) => one.address === address).length <= 3));
        const admission = admitConnection(before, pi, limits);
        assert.ok(admission.admitted);
        assert.ok(before.filter((one) => one !== admission.givesWay).length < 5);
      }),
    );
  });
});
