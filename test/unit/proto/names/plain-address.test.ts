import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { isLoopback, isUnspecified, plainAddress } from "../../../../proto/names/plain-address.ts";

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

describe("what an address means", () => {
  for (const [address, meaning] of [
    ["127.0.0.1", "loopback"],
    ["127.9.9.9", "loopback"],
    ["::1", "loopback"],
    ["0:0:0:0:0:0:0:1", "loopback"],
    ["::ffff:127.0.0.1", "loopback"],
    ["localhost", "loopback"],
    ["0.0.0.0", "unspecified"],
    ["::", "unspecified"],
    ["0::0", "unspecified"],
    ["10.0.0.1", "neither"],
    ["fd00::1", "neither"],
    ["127.example", "neither"],
    ["boot.rack", "neither"],
    ["", "neither"],
  ] as const)
    it(`${address || "nothing"}: ${meaning}`, () =>
      assert.deepEqual(
        [isLoopback(address), isUnspecified(address)],
        [meaning === "loopback", meaning === "unspecified"],
      ));
});
