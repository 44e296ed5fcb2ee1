import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { plainJsonObject, plainLines, plainText } from "../../../../../controller/rpc/wire/text-from-wire.ts";

describe("plainText", () => {
  for (const [given, expected] of [
    ["plain – ü 漢字 🍓", "plain – ü 漢字 🍓"],
    ["\u001b[31mred\u0007", "?[31mred?"],
    ["\u009b2Ja\u2028b\u202ec\nd\te\r\u007f", "?2Ja?b?c?d?e??"],
  ] as const) {
    it(`makes ${JSON.stringify(given)} ${JSON.stringify(expected)}`, () => assert.equal(plainText(given), expected));
  }

  it("cuts, and never through a character into something that is no text", () => {
    assert.equal(plainText("abc🍓", 4), "abc\ufffd");
  });
});

describe("plainLines", () => {
  for (const [given, expected] of [
    ["Error: no\n    at x\r\n\tat y\n", "Error: no\n    at x\n  at y"],
    ["a\u001b[2J  \n\u202e\rb", "a?[2J\n??b"],
    ["\n\n", ""],
  ] as const) {
    it(`makes ${JSON.stringify(given)} ${JSON.stringify(expected)}`, () => {
      assert.equal(plainLines(given, 100), expected);
    });
  }

  it("is never longer than it may be", () => {
    assert.equal(plainLines("\t".repeat(10).concat("x".repeat(100)), 30).length, 30);
  });
});

describe("plainJsonObject", () => {
  for (const [given, expected] of [
    ['{ "a" : 1,\n"b":[true,null,{"c":"d"}] }', '{"a":1,"b":[true,null,{"c":"d"}]}'],
    ['{"\u009b\u202e":"\\u001b\u2028\u007f"}', '{"\\u009b\\u202e":"\\u001b\\u2028\\u007f"}'],
    ['{"__proto__":{"x":1}}', '{"__proto__":{"x":1}}'],
    ["[1]", undefined],
    ["null", undefined],
    ['"a"', undefined],
    ["{", undefined],
    ["", undefined],
  ] as const) {
    it(`makes ${JSON.stringify(given)} ${JSON.stringify(expected)}`, () => {
      assert.equal(plainJsonObject(given), expected);
    });
  }

  it("survives what is nested without end", () => {
    const nested = `{"a":${"[".repeat(4000)}${"]".repeat(4000)}}`;
    assert.ok([nested, undefined].includes(plainJsonObject(nested)));
    const deeper = `{"a":${"[".repeat(1_000_000)}${"]".repeat(1_000_000)}}`;
    assert.ok([deeper, undefined].includes(plainJsonObject(deeper)));
  });
});
