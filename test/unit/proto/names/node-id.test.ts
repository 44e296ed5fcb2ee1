import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { parseMacAddress } from "../../../../proto/names/node-id.ts";

describe("parseMacAddress", () => {
  for (const [text, expected] of [
    ["b8:27:eb:00:00:01", "b8:27:eb:00:00:01"],
    ["B8:27:EB:00:00:01", "b8:27:eb:00:00:01"],
    ["b8-27-eb-00-00-01", "b8:27:eb:00:00:01"],
    ["B827.EB00.0001", "b8:27:eb:00:00:01"],
    ["b827eb000001", "b8:27:eb:00:00:01"],
    [" b8:27:eb:00:00:01\n", "b8:27:eb:00:00:01"],
    ["b8:27:eb:0:0:1", "b8:27:eb:00:00:01"],
    ["02:fc:00:00:00:01", "02:fc:00:00:00:01"],
    ["", undefined],
    ["b8:27:eb:00:00", undefined],
    ["b8:27:eb:00:00:01:02", undefined],
    ["b8:27-eb:00-00:01", undefined],
    ["b8:27:eb:00:00:0g", undefined],
    ["b8:27:eb:00:00:001", undefined],
    ["b827eb00000", undefined],
    ["00:00:00:00:00:00", undefined],
    ["ff:ff:ff:ff:ff:ff", undefined],
    ["01:00:5e:00:00:01", undefined],
    ["01-b8-27-eb-00-00-01", undefined],
  ] as const) {
    it(`reads ${JSON.stringify(text)} as ${expected ?? "no MAC address"}`, () => {
      assert.equal(parseMacAddress(text), expected);
    });
  }

  it("reads what it wrote, in every notation", () => {
    const octets = fc
      .uint8Array({ minLength: 6, maxLength: 6 })
      .map((bytes) => bytes.map((byte, index) => (index === 0 ? byte & 0xfe : byte)))
      .filter((bytes) => bytes.some((byte) => byte !== 0));
    fc.assert(
      fc.property(octets, (bytes) => {
        const digits = Buffer.from(bytes).toString("hex");
        const expected = digits.match(/../g)?.join(":");
        const notations = [
          digits,
          expected ?? "",
          digits.match(/../g)?.join("-") ?? "",
          digits.match(/..../g)?.join(".") ?? "",
        ];
        for (const notation of notations) {
          assert.equal(parseMacAddress(notation), expected);
          assert.equal(parseMacAddress(notation.toUpperCase()), expected);
        }
      }),
    );
  });
});
