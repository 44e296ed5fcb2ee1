import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { chooseForgotten, familyOf } from "../../../../controller/artefacts/choose-forgotten.ts";

const hourMs = 3_600_000;
const now = Date.parse("2026-11-28T12:00:00Z");
/** Entries that were last used so many hours ago. */
const used = (hours: readonly number[]) => hours.map((each) => ({ name: `e${each}`, usedAtMs: now - each * hourMs }));

describe("which entries of a cache are forgotten", () => {
  const rows: readonly (readonly [name: string, hours: readonly number[], forgotten: readonly string[]])[] = [
    ["none of a few, however old", [900, 5_000, 9_000], []],
    ["none that another checkout used in the last days", [1, 2, 3, 4, 5, 50, 70], []],
    ["those that nobody used for days, but for the newest three", [90, 80, 100, 120, 110], ["e120", "e110"]],
    [
      "those beyond a dozen, although they were used lately",
      [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14],
      ["e14", "e13"],
    ],
  ];
  for (const [name, hours, forgotten] of rows)
    it(name, () => assert.deepEqual(chooseForgotten(used(hours), now), forgotten));
});

describe("the family of an entry", () => {
  const rows = [
    ["u-boot-rpi_arm64-4f21", "u-boot-rpi_arm64"],
    ["base-bookworm-4f21", "base-bookworm"],
    ["image-debian-demo-2-4f21", "image-debian-demo-2"],
    ["entry", "entry"],
  ] as const;
  for (const [name, family] of rows) it(`${name}: ${family}`, () => assert.equal(familyOf(name), family));
});
