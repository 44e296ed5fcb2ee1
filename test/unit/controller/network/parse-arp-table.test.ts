import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { findMacAddress } from "../../../../controller/network/parse-arp-table.ts";

// As /proc/net/arp prints it.
const table = `IP address       HW type     Flags       HW address            Mask     Device
10.77.0.11       0x1         0x2         DC:A6:32:00:00:01     *        br0
10.77.0.12       0x1         0x0         00:00:00:00:00:00     *        br0
10.77.0.13       0x1         0x0         dc:a6:32:00:00:03     *        br0
10.77.0.14       0x1         0x6         dc:a6:32:00:00:04     *        br0
10.77.0.15       0x1         0x2         dc:a6:32:00:00:05     *        br0
10.77.0.15       0x1         0x2         dc:a6:32:00:00:06     *        br1
`;

describe("the MAC address of an IP address", () => {
  for (const [address, mac] of [
    ["10.77.0.11", "dc:a6:32:00:00:01"],
    ["10.77.0.1", undefined],
    ["10.77.0.12", undefined],
    ["10.77.0.13", undefined],
    ["10.77.0.14", "dc:a6:32:00:00:04"],
    ["10.77.0.15", undefined],
    ["HW", undefined],
  ] as const)
    it(`${address} is ${mac ?? "not known"}`, () => assert.equal(findMacAddress(table, address), mac));
});
