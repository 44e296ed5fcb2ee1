import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { printable, printableJson, printableLines } from "../../../../../controller/cli/render/printable.ts";

const table: readonly (readonly [name: string, text: string, expected: string])[] = [
  ["plain text", "SanDisk Ultra 3.2Gen1", "SanDisk Ultra 3.2Gen1"],
  ["letters of other scripts", "Gerät 日本 🍓", "Gerät 日本 🍓"],
  ["an escape sequence that clears the screen", "\u001b[2Jx", "\\x1b[2Jx"],
  ["an operating system command", "\u001b]0;title\u0007", "\\x1b]0;title\\x07"],
  ["the 8-bit control sequence introducer", "\u009b31m", "\\x9b31m"],
  ["a carriage return that hides what is before it", "bad\rgood", "bad\\rgood"],
  ["a line break", "a\nb", "a\\nb"],
  ["a tabulator", "a\tb", "a\\tb"],
  ["delete", "a\u007fb", "a\\x7fb"],
  ["a right-to-left override", "gpj.\u202eexe", "gpj.\\u202eexe"],
  ["a line separator", "a\u2028b", "a\\u2028b"],
  ["half a surrogate pair", "a\ud800b", "a\\ud800b"],
];

describe("printable", () => {
  for (const [name, text, expected] of table)
    it(`shows ${name}`, () => {
      assert.equal(printable(text), expected);
    });

  it("leaves no control character in any text", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        assert.doesNotMatch(printable(text), /[\p{Cc}\u202a-\u202e\u2066-\u2069\u2028\u2029]/u);
      }),
    );
  });

  it("keeps the lines of a text that has several, without trailing empty ones", () => {
    assert.deepEqual(printableLines("mkfs: a\u001b\r\nmkfs: b\n\n"), ["mkfs: a\\x1b", "mkfs: b"]);
  });
});

describe("printableJson", () => {
  it("reads back as the same value and holds no control character but line breaks", () => {
    fc.assert(
      fc.property(fc.jsonValue({ stringUnit: "binary" }), fc.constantFrom(undefined, 2), (value, indent) => {
        const text = printableJson(value, indent);
        assert.deepEqual(JSON.parse(text), JSON.parse(JSON.stringify(value)));
        assert.doesNotMatch(text, /(?!\n)[\p{Cc}\u202a-\u202e\u2028]/u);
      }),
    );
  });

  it("escapes the 8-bit control sequence introducer, which JSON.stringify lets through", () => {
    assert.equal(printableJson({ label: "\u009b2J" }), '{"label":"\\u009b2J"}');
  });
});
