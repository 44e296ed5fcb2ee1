import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import {
  formatIpv4,
  formatIpv4Network,
  isHostAddress,
  netmaskOf,
  parseIpv4,
  parseIpv4Network,
} from "../../../../controller/network/ipv4.ts";

describe("IPv4", () => {
  it("reads what it writes", () => {
    fc.assert(fc.property(fc.nat(2 ** 32 - 1), (address) => parseIpv4(formatIpv4(address)) === address));
  });

  it("reads nothing but dotted decimal", () => {
    for (const text of ["", "1.2.3", "1.2.3.4.5", "256.0.0.1", "01.2.3.4", "1.2.3.4\n", "a.b.c.d", " 1.2.3.4"]) {
      assert.equal(parseIpv4(text), undefined, text);
    }
    for (const text of ["1.2.3.4", "1.2.3.4/33", "1.2.3.4/", "1.2.3.4/8/8", "x/8"]) {
      assert.equal(parseIpv4Network(text), undefined, text);
    }
  });

  it("knows which addresses of a network a machine can have", () => {
    for (const [text, network, mask, yes, no] of [
      ["10.77.0.9/24", "10.77.0.0/24", "255.255.255.0", "10.77.0.254", "10.77.0.255"],
      ["192.168.5.200/25", "192.168.5.128/25", "255.255.255.128", "192.168.5.129", "192.168.5.127"],
      ["172.16.0.0/12", "172.16.0.0/12", "255.240.0.0", "172.31.255.254", "172.16.0.0"],
      ["255.255.255.254/31", "255.255.255.254/31", "255.255.255.254", "255.255.255.255", "255.255.255.253"],
      ["1.2.3.4/0", "0.0.0.0/0", "0.0.0.0", "9.9.9.9", "255.255.255.255"],
    ] as const) {
      const parsed = parseIpv4Network(text);
      assert.ok(parsed);
      assert.equal(formatIpv4Network(parsed), network);
      assert.equal(netmaskOf(parsed), mask);
      assert.equal(isHostAddress(parsed, parseIpv4(yes) ?? 0), true, yes);
      assert.equal(isHostAddress(parsed, parseIpv4(no) ?? 0), false, no);
    }
  });
});
