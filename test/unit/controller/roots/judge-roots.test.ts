import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { judgeRoots, type RootUser, rootGraceMs } from "../../../../controller/roots/judge-roots.ts";
import { flatRoot, type RootId } from "../../../../controller/roots/root-id.ts";

const [a, b, c, d] = ["a", "b", "c", "d"].map((name) => name as RootId) as [RootId, RootId, RootId, RootId];
const agent = { sizeBytes: 1, digest: "0" };
const root = (id: RootId) => ({ id, madeAt: 0, manifest: { agent } });
const user = (uses: Partial<RootUser>): RootUser => ({
  name: "n",
  isOnline: true,
  told: [],
  isUnknown: false,
  ...uses,
});

describe("which root filesystems can go", () => {
  for (const [what, ids, users, quietMs, expected] of [
    ["none but the current is there", [a], [], rootGraceMs, "current"],
    ["nobody uses the older ones, but the one before stays", [a, b, c], [], rootGraceMs, "removable kept current"],
    ["an online node runs from the oldest", [a, b, c], [{ running: a }], rootGraceMs, "in-use kept current"],
    [
      "a node that is not heard may still run from it",
      [a, b, c],
      [{ running: a, isOnline: false }],
      rootGraceMs,
      "in-use kept current",
    ],
    ["a node was told to boot it, and not heard since", [a, b, c], [{ told: [a] }], rootGraceMs, "in-use kept current"],
    [
      "an older agent does not say what it runs from",
      [a, b, c, d],
      [{ isUnknown: true }],
      rootGraceMs,
      "in-use in-use in-use in-use",
    ],
    ["the current one has just become that", [a, b, c], [], rootGraceMs - 1, "kept kept current"],
    ["the clock was set back", [a, b, c], [], -5, "kept kept current"],
    ["what an older Pallet built is used by nobody", [flatRoot, b, c], [], rootGraceMs, "removable kept current"],
  ] as const)
    it(`is said when ${what}`, () => {
      const current = ids.at(-1);
      const judged = judgeRoots(ids.map(root), { current, quietMs, users: users.map(user) });
      const states = judged.map(({ state }) => state);
      // The current one is in use, too, and that is what it is called.
      assert.equal(states.join(" "), expected.replace(/in-use$/, "current"));
    });

  it("is none when it is not known what new boots get", () => {
    const judged = judgeRoots([a, b, c].map(root), { current: undefined, quietMs: rootGraceMs, users: [] });
    assert.deepEqual(new Set(judged.map(({ state }) => state)), new Set(["kept"]));
  });

  it("is not what waits for its agent", () => {
    const imported = { id: a, madeAt: 0, manifest: {} };
    const judged = judgeRoots([imported, root(b), root(c)], { current: c, quietMs: rootGraceMs, users: [] });
    assert.deepEqual(
      judged.map(({ state }) => state),
      ["kept", "kept", "current"],
    );
  });

  it("names who uses what, and who only may", () => {
    const users = [user({ name: "x", running: a }), user({ name: "y", told: [a], isOnline: false })];
    const [first] = judgeRoots([a, b].map(root), { current: b, quietMs: 0, users });
    assert.deepEqual(first?.users, [
      { name: "x", isOnline: true, isUncertain: false },
      { name: "y", isOnline: false, isUncertain: true },
    ]);
  });
});
