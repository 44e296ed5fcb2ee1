// The floors of the architecture page, held against every import of agent, controller and proto.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import path from "node:path";
import { describe, it } from "node:test";
import { assertGolden, goldenFile } from "../golden.ts";
import { floorPlan, placeDrawing } from "./floors.ts";
import { readSources, type Source, targetOf } from "./read-sources.ts";

const houses = (await Promise.all(["agent", "controller", "proto"].map(readSources))).flat();
const everySource = [...houses, ...(await Promise.all(["scripts", "test"].map(readSources))).flat()];

interface Step {
  readonly from: string;
  readonly to: string;
}

/** Imports from one folder into another, of types too: who knows whom is asked, not who runs first. */
function steps(sources: readonly Source[]): readonly Step[] {
  return sources.flatMap((source) =>
    source.imports.flatMap((imported) => {
      const to = targetOf(source, imported);
      return to === undefined || path.dirname(to) === path.dirname(source.file) ? [] : [{ from: source.file, to }];
    }),
  );
}

/** The folder in which two files part, and the room of each there. */
function partingOf({ from, to }: Step): { readonly folder: string; readonly rooms: readonly [string, string] } {
  const [a, b] = [path.dirname(from).split("/"), path.dirname(to).split("/")];
  let shared = 0;
  while (shared < a.length && a[shared] === b[shared]) shared += 1;
  return { folder: a.slice(0, shared).join("/"), rooms: [a[shared] ?? ".", b[shared] ?? "."] };
}

/** Why an import goes not down, or undefined. */
function offence(step: Step, plan: typeof floorPlan): string | undefined {
  const { folder, rooms } = partingOf(step);
  const floors = plan[folder];
  // From one house into another: who may do that is the first rule of architecture.test.ts.
  if (folder === "") return undefined;
  const [from, to] = rooms.map((room) => floors?.findIndex((names) => names.includes(room)) ?? -1);
  if (from === undefined || to === undefined || from < 0 || to < 0)
    return `${step.from} imports ${step.to}: test/unit/floors.ts does not know both rooms of ${folder}: ${rooms.join(", ")}`;
  return to < from ? undefined : `${step.from} (floor ${from} of ${folder}) imports ${step.to} (floor ${to})`;
}

/** A cycle of folders, or of files: each imports the next and the last one the first. */
function findCycle(edges: readonly Step[]): readonly string[] {
  const next = new Map<string, Set<string>>();
  for (const { from, to } of edges) next.set(from, (next.get(from) ?? new Set()).add(to));
  const done = new Set<string>();
  const walk = (at: string, trail: readonly string[]): readonly string[] => {
    if (trail.includes(at)) return [...trail.slice(trail.indexOf(at)), at];
    if (done.has(at)) return [];
    for (const to of next.get(at) ?? []) {
      const cycle = walk(to, [...trail, at]);
      if (cycle.length > 0) return cycle;
    }
    done.add(at);
    return [];
  };
  for (const at of next.keys()) {
    const cycle = walk(at, []);
    if (cycle.length > 0) return cycle;
  }
  return [];
}

describe("the floors", () => {
  it("let every import go down", () => {
    const found = steps(houses).map((step) => offence(step, floorPlan));
    assert.deepEqual(
      found.filter((each) => each !== undefined),
      [],
    );
  });

  it("have each room that there is, once, and no other", () => {
    const rooms = new Map<string, Set<string>>();
    for (const { file } of houses) {
      const names = file.split("/");
      for (let depth = 1; depth < names.length; depth += 1) {
        const folder = names.slice(0, depth).join("/");
        rooms.set(
          folder,
          (rooms.get(folder) ?? new Set()).add(depth === names.length - 1 ? "." : (names[depth] ?? "")),
        );
      }
    }
    // Generated code is read by nobody here, and is a room all the same.
    rooms.get("proto")?.add("gen");
    const parted = [...rooms].filter(([, names]) => names.size > 1 || !names.has("."));
    assert.deepEqual(
      Object.fromEntries(Object.entries(floorPlan).map(([folder, floors]) => [folder, floors.flat().toSorted()])),
      Object.fromEntries(parted.map(([folder, names]) => [folder, [...names].toSorted()])),
    );
  });

  it("are drawn in the architecture page; GOLDEN=write draws them", () => {
    const page = "../../.github/ARCHITECTURE.md";
    assertGolden(page, placeDrawing(readFileSync(goldenFile(page), "utf8")));
  });

  for (const [name, step, said] of [
    [
      "up",
      { from: "controller/nodes/node.ts", to: "controller/reimage/rollouts.ts" },
      /floor 3 of controller.*floor 6/,
    ],
    [
      "to the same floor",
      { from: "controller/nodes/a.ts", to: "controller/rootfs/b.ts" },
      /floor 3 of controller.*floor 3/,
    ],
    ["from a room into the hall", { from: "controller/rpc/doors/a.ts", to: "controller/rpc/b.ts" }, /imports/],
    ["deep inside", { from: "controller/rpc/wire/a.ts", to: "controller/rpc/doors/b.ts" }, /of controller\/rpc/],
    ["to a room that nobody drew", { from: "controller/nodes/a.ts", to: "controller/attic/b.ts" }, /attic/],
  ] as const)
    it(`would say of an import ${name}`, () => {
      assert.match(offence(step, floorPlan) ?? "", said);
    });
});

describe("imports", () => {
  it("never lead in a circle: not of folders, in scripts and tests neither", () => {
    const between = steps(everySource).map(({ from, to }) => ({ from: path.dirname(from), to: path.dirname(to) }));
    assert.deepEqual(findCycle(between), []);
  });

  it("never lead in a circle of files", () => {
    const between = everySource.flatMap((source) =>
      source.imports.flatMap((imported) => {
        const to = targetOf(source, imported);
        return to === undefined ? [] : [{ from: source.file, to }];
      }),
    );
    assert.deepEqual(findCycle(between), []);
  });

  it("would be caught in a circle", () => {
    const circle = ["a", "b", "c"].map((from, index, all) => ({ from, to: all[(index + 1) % 3] ?? "" }));
    assert.deepEqual(findCycle(circle), ["a", "b", "c", "a"]);
    assert.deepEqual(findCycle(circle.slice(1)), []);
  });
});
