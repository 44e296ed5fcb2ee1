import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { defaultNodeName, problemOfNodeName } from "../../../../controller/nodes/node-name.ts";
import type { NodeId } from "../../../../proto/names/node-id.ts";

describe("problemOfNodeName", () => {
  for (const name of ["a", "rack1-07", "node-00aa01", "a".repeat(63)]) {
    it(`finds nothing wrong with ${name}`, () => assert.equal(problemOfNodeName(name), undefined));
  }
  for (const [name, problem] of [
    ["", /1 to 63 characters/],
    ["a".repeat(64), /has 64/],
    ["7up", /start with a letter/],
    ["Rack", /lower-case/],
    ["rack_1", /hyphens/],
    ["rack-", /do not end/],
    ["rack.example", /lower-case letters/],
    ["a\nb", /cannot be a node's name/],
    ["ac-cd-ef-01-02-04", /reads as a MAC address/],
    ["acdefabcdefa", /reads as a MAC address/],
  ] as const) {
    it(`refuses ${JSON.stringify(name)}`, () => assert.match(problemOfNodeName(name) ?? "", problem));
  }
});

describe("defaultNodeName", () => {
  const id = "b8:27:eb:00:aa:01" as NodeId;
  it("takes the last three octets", () =>
    assert.equal(
      defaultNodeName(id, () => false),
      "node-00aa01",
    ));

  it("takes more octets while the name is taken, and numbers at last", () => {
    const taken = new Set<string>();
    const names = Array.from({ length: 6 }, () => {
      const name = defaultNodeName(id, (candidate) => taken.has(candidate));
      taken.add(name);
      return name;
    });
    assert.deepEqual(names, [
      "node-00aa01",
      "node-eb00aa01",
      "node-27eb00aa01",
      "node-b827eb00aa01",
      "node-b827eb00aa01-2",
      "node-b827eb00aa01-3",
    ]);
  });

  it("gives names that are names", () => assert.equal(problemOfNodeName(defaultNodeName(id, () => false)), undefined));
});
