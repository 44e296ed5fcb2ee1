import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { plainAddress } from "../../../proto/plain-address.ts";

describe("plainAddress", () => {
  for (const [given, expected] of [
    ["10.0.0.7", "10.0.0.7"],
    ["::ffff:10.0.0.7", "10.0.0.7"],
    ["::FFFF:0a00:0007", "10.0.0.7"],
    ["0:0:0:0:0:ffff:a00:7", "10.0.0.7"],
    ["2001:0DB8:0:0::1", "2001:db8::1"],
    ["fe80::1%eth0", "fe80::1"],
    ["::1", "::1"],
    // Compatible with IPv4 once, and not mapped.
    ["::10.0.0.7", "::a00:7"],
  ] as const)
    it(`writes ${given} as ${expected}`, () => assert.equal(plainAddress(given), expected));
});
