import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { renderSomeNames } from "../../../../../controller/cli/render/some-names.ts";

const names = (count: number): string[] => Array.from({ length: count }, (_, at) => `pi-${at + 1}`);

describe("the names of many nodes", () => {
  const cases: readonly (readonly [number, RegExp])[] = [
    [0, /^$/],
    [1, /^pi-1$/],
    [9, /^pi-1, .*, pi-8, pi-9$/],
    [10, /^pi-1, .*, pi-8 and 2 more$/],
    [200, /^pi-1, .*, pi-8 and 192 more$/],
  ];
  for (const [count, expected] of cases)
    it(`are all there, or counted: ${count}`, () => assert.match(renderSomeNames(names(count)), expected));

  it("are harmless on a terminal", () => assert.ok(!renderSomeNames(["a\u001b[2Jb"]).includes("\u001b")));
});
