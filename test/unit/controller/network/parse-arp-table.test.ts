import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { findMacAddresses } from "../../../../controller/network/parse-arp-table.ts";

// As /proc/net/arp prints it.
const table = `IP address       HW type     Flags       HW address            Mask     Device
10.77.0.11       0x1         0x2         DC:A6:32:00:00:01     *        br0
10.77.0.12       0x1         0x0         00:00:00:00:00:00     *        br0
10.77.0.13       0x1         0x0         dc:a6:32:00:00:03     *        br0
10.77.0.14       0x1         0x6         dc:a6:32:00:00:04     *        br0
10.77.0.15       0x1         0x2         dc:a6:32:00:00:05     *        br0
10.77.0.15       0x1         0x2         dc:a6:32:00:00:06     *        br1
10.77.0.16       0x1         0x2         dc:a6:32:00:00:07     *        br0
10.77.0.16       0x1         0x2         DC:A6:32:00:00:07     *        br1
`;

describe("the MAC addresses of an IP address", () => {
  for (const [address, ...macs] of [
    ["10.77.0.11", "dc:a6:32:00:00:01"],
    ["10.77.0.1"],
    ["10.77.0.12"],
    ["10.77.0.13"],
    ["10.77.0.14", "dc:a6:32:00:00:04"],
    ["10.77.0.15", "dc:a6:32:00:00:05", "dc:a6:32:00:00:06"],
    ["10.77.0.16", "dc:a6:32:00:00:07"],
    ["HW"],
  ] as const)
    it(`${address}: ${macs.join(", ") || "not known"}`, () =>
      assert.deepEqual([...findMacAddresses(table, address)], macs));

  it("none in an empty or a broken table", () => {
    assert.deepEqual([...findMacAddresses("", "10.77.0.11")], []);
    assert.deepEqual([...findMacAddresses("x\n10.77.0.11\n", "10.77.0.11")], []);
  });
});
