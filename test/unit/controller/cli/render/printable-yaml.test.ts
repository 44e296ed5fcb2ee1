import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { parse } from "yaml";
import { printableYaml } from "../../../../../controller/cli/render/printable-yaml.ts";

const table: readonly (readonly [name: string, value: unknown, lines: readonly string[]])[] = [
  ["a list", [{ name: "rack-1", labels: { rack: "a" } }], ["- name: rack-1", "  labels:", "    rack: a"]],
  ["an empty list", [], ["[]"]],
  ["null", { address: null }, ["address: null"]],
  ["what YAML 1.1 takes for a number in base 60", { mac: "10:20:30:40:50:11" }, ['mac: "10:20:30:40:50:11"']],
  ["what YAML 1.1 takes for a truth", { rack: "no", shelf: "on" }, ['rack: "no"', 'shelf: "on"']],
  ["what YAML takes for a number", { serial: "1e3" }, ['serial: "1e3"']],
  ["an escape sequence", { model: "\u001b[2JPi" }, ['model: "\\u001b[2JPi"']],
  ["the 8-bit control sequence introducer", { model: "\u009b2J" }, ['model: "\\u009b2J"']],
  ["a line break", { message: "a\nb" }, ['message: "a\\nb"']],
  ["a right-to-left override", { name: "gpj.\u202eexe" }, ['name: "gpj.\\u202eexe"']],
  ["a dangerous key", { "a\u0007": 1 }, ['"a\\u0007": 1']],
];

describe("printableYaml", () => {
  for (const [name, value, lines] of table)
    it(`shows ${name}`, () => {
      assert.deepEqual(printableYaml(value), lines);
    });

  it("shows one object that is there twice twice: an alias is nothing that people can read", () => {
    const same = { a: 1 };
    assert.deepEqual(printableYaml([same, same]), ["- a: 1", "- a: 1"]);
  });

  it("reads back as the same value, in both versions of YAML, and holds no control character", () => {
    fc.assert(
      fc.property(fc.jsonValue({ stringUnit: "binary" }), (value) => {
        const lines = printableYaml(value);
        const same = JSON.parse(JSON.stringify(value));
        for (const version of ["1.1", "1.2"] as const)
          assert.deepEqual(parse(lines.join("\n"), { version, merge: false }), same, version);
        for (const line of lines) assert.doesNotMatch(line, /[\p{Cc}\u202a-\u202e\u2066-\u2069\u2028\u2029]/u);
      }),
      { numRuns: 1000 },
    );
  });
});
