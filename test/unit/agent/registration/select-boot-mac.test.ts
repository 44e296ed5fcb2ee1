import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { localAddressTowards } from "../../../../agent/registration/local-address.ts";
import { chooseBootMac, selectBootMac } from "../../../../agent/registration/select-boot-mac.ts";
import type { NodeId } from "../../../../proto/names/node-id.ts";

const eth0 = { name: "eth0", mac: "02:00:00:00:00:01", addresses: ["10.0.0.1", "fe80::1"] };
const wlan0 = {
  name: "wlan0",
  mac: "02:00:00:00:00:02",
  currentMac: "02:00:00:00:00:04",
  addresses: ["10.1.0.1"],
};

describe("selectBootMac", () => {
  it("chooses the interface that faces the controller", () => {
    assert.equal(selectBootMac([eth0, wlan0], "10.1.0.1"), wlan0.mac);
  });

  it("chooses the only interface when the controller is on this machine", () => {
    assert.equal(selectBootMac([eth0], "127.0.0.1"), eth0.mac);
    assert.equal(selectBootMac([eth0], undefined), eth0.mac);
  });

  it("chooses the only one with an address: the kernel lists others that nobody uses", () => {
    const ifb0 = { name: "ifb0", mac: "5a:77:56:3a:b3:da", addresses: [] };
    assert.equal(selectBootMac([ifb0, eth0], "127.0.0.1"), eth0.mac);
    assert.equal(selectBootMac([{ ...eth0, addresses: [] }], undefined), eth0.mac);
  });

  it("does not guess", () => {
    assert.throws(() => selectBootMac([eth0, wlan0], "127.0.0.1"), /--node MAC.*eth0 02:00.*wlan0/);
    assert.throws(() => selectBootMac([], undefined), /interfaces: none/);
  });
});

describe("chooseBootMac", () => {
  const facing = async (): Promise<string> => "10.0.0.1";
  const own = eth0.mac as NodeId;
  const another = "02:00:00:00:00:99" as NodeId;
  for (const [title, known, expected] of [
    ["the controller's word for this boot", { bootMac: another, installedOn: own }, { mac: another }],
    ["the node that the system was installed on", { installedOn: wlan0.mac as NodeId }, { mac: wlan0.mac }],
    [
      "its own address in another board, whose agent it is not",
      { installedOn: another },
      { mac: own, otherBoard: another },
    ],
    [
      "the node that the system was installed on, by an address that the system has set",
      { installedOn: "02:00:00:00:00:04" as NodeId },
      { mac: "02:00:00:00:00:04" },
    ],
    ["its own address when nobody told it", {}, { mac: own }],
  ] as const) {
    it(`goes by ${title}`, async () => {
      assert.deepEqual(await chooseBootMac(known, [eth0, wlan0], facing), expected);
    });
  }
});

it("the local address towards loopback is loopback", async () => {
  assert.equal(await localAddressTowards("127.0.0.1"), "127.0.0.1");
});
