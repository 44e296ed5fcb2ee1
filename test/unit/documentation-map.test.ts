// The map of the architecture page has every room of the programs, and none that is gone.
import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { describe, it } from "node:test";
import { checkout } from "../programs/checkout.ts";

const page = ".github/ARCHITECTURE.md";

/** A room, and the folders within it that its line names. */
interface Room {
  readonly folder: string;
  readonly within: readonly string[];
}

/** The rooms in the map: a line for each, or for several; lines that are further in continue with the one above. */
function readMap(markdown: string): readonly Room[] {
  const map = /^## The map\n+```\n([\s\S]*?)^```$/m.exec(markdown)?.[1];
  assert.ok(map !== undefined, `${page} has no map`);
  const rooms: { folder: string; within: string[] }[] = [];
  let top = "";
  for (const line of map.trimEnd().split("\n")) {
    const [, indent = "", names = "", about = ""] = /^( *)((?:[\w.-]+\/[\w-]*\/? ?)*)\s*(.*)$/.exec(line) ?? [];
    const folders =
      indent.length > 2
        ? []
        : names
            .trim()
            .split(" ")
            .filter((name) => name !== "");
    if (indent === "") top = folders[0] ?? "";
    for (const name of folders) {
      rooms.push({ folder: path.join(indent === "" ? "" : top, name), within: [] });
    }
    const text = indent.length > 2 ? line : about;
    for (const [, name = ""] of text.matchAll(/(?<![\w/.])([a-z][\w-]*)\/(?!\w)/g)) rooms.at(-1)?.within.push(name);
  }
  return rooms.map(({ folder, within }) => ({ folder: folder.replace(/\/$/, ""), within }));
}

describe("the map of the architecture page", () => {
  const rooms = readMap(readFileSync(path.join(checkout, page), "utf8"));
  const mapped = new Set(rooms.map(({ folder }) => folder));

  it("names only folders that exist", () => {
    const named = rooms.flatMap(({ folder, within }) => [folder, ...within.map((name) => path.join(folder, name))]);
    assert.ok(named.length > 40, "the map was not read");
    assert.deepEqual(
      named.filter((folder) => !existsSync(path.join(checkout, folder))),
      [],
    );
  });

  for (const program of ["agent", "controller", "proto"])
    it(`has every room of ${program}/`, () => {
      const folders = readdirSync(path.join(checkout, program), { withFileTypes: true })
        .filter((entry) => entry.isDirectory())
        .map(({ name }) => `${program}/${name}`);
      // proto/pallet has one folder, which is on the map.
      assert.deepEqual(
        folders.filter((folder) => !mapped.has(folder) && !mapped.has(`${folder}/v1`)),
        [],
        `add these to the map in ${page}`,
      );
    });
});
