import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { chooseSourceAddress } from "../../../../controller/network/choose-source-address.ts";

const own = ["127.0.0.1", "10.77.0.1", "10.77.0.3"];

describe("chooseSourceAddress", () => {
  for (const [what, advertise, listen, node, expected] of [
    ["what nodes are told, where an interface has several", "10.77.0.3", "0.0.0.0", "10.77.0.11", "10.77.0.3"],
    ["where it listens, when nodes are told a name", "controller.lan", "10.77.0.3", "10.77.0.11", "10.77.0.3"],
    ["the system's choice, when both are no address", "controller.lan", "0.0.0.0", "10.77.0.11", undefined],
    ["the system's choice, when another machine passes it on", "192.0.2.1", "0.0.0.0", "10.77.0.11", undefined],
    ["where it listens, when another machine passes it on", "192.0.2.1", "10.77.0.1", "10.77.0.11", "10.77.0.1"],
    ["the system's choice on loopback", "127.0.0.1", "127.0.0.1", "127.0.0.1", undefined],
    ["the system's choice from loopback to elsewhere", "127.0.0.1", "127.0.0.1", "10.77.0.11", undefined],
    ["the system's choice to a node on this machine", "10.77.0.1", "10.77.0.1", "127.0.0.1", undefined],
    ["IPv6 to IPv6", "fd00::1", "fd00::1", "fd00::11", "fd00::1"],
    ["no IPv6 to IPv4", "fd00::1", "fd00::1", "10.77.0.11", undefined],
    ["IPv4 to a node that is written as IPv6", "10.77.0.1", "::", "::ffff:10.77.0.11", "10.77.0.1"],
  ] as const) {
    it(`is ${what}`, () => assert.equal(chooseSourceAddress({ advertise, listen }, own, node), expected));
  }
});
