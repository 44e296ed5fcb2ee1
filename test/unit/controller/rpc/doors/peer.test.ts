import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { addressOfPeer } from "../../../../../controller/rpc/doors/peer.ts";

describe("addressOfPeer", () => {
  for (const [peer, address] of [
    ["10.0.0.7:51234", "10.0.0.7"],
    ["::ffff:10.0.0.7:51234", "10.0.0.7"],
    ["::FFFF:10.0.0.7:51234", "10.0.0.7"],
    ["::1:51234", "::1"],
    ["[::1]:51234", "::1"],
    ["2001:DB8::7:51234", "2001:db8::7"],
    ["fe80::1%eth0:51234", "fe80::1%eth0"],
    ["unknown", undefined],
    ["", undefined],
    ["10.0.0.7", undefined],
    ["node.example:51234", undefined],
    ["10.0.0.7:port", undefined],
  ] as const) {
    it(`reads ${JSON.stringify(peer)} as ${address ?? "no address"}`, () => assert.equal(addressOfPeer(peer), address));
  }
});
