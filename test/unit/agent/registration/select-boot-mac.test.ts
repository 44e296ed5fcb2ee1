import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { localAddressTowards } from "../../../../agent/registration/local-address.ts";
import { selectBootMac } from "../../../../agent/registration/select-boot-mac.ts";

const eth0 = { name: "eth0", mac: "02:00:00:00:00:01", addresses: ["10.0.0.1", "fe80::1"] };
const wlan0 = { name: "wlan0", mac: "02:00:00:00:00:02", addresses: ["10.1.0.1"] };

describe("selectBootMac", () => {
  it("chooses the interface that faces the controller", () => {
    assert.equal(selectBootMac([eth0, wlan0], "10.1.0.1"), wlan0.mac);
  });

  it("chooses the only interface when the controller is on this machine", () => {
    assert.equal(selectBootMac([eth0], "127.0.0.1"), eth0.mac);
    assert.equal(selectBootMac([eth0], undefined), eth0.mac);
  });

  it("does not guess", () => {
    assert.throws(() => selectBootMac([eth0, wlan0], "127.0.0.1"), /--node MAC.*eth0 02:00.*wlan0/);
    assert.throws(() => selectBootMac([], undefined), /interfaces: none/);
  });
});

it("the local address towards loopback is loopback", async () => {
  assert.equal(await localAddressTowards("127.0.0.1"), "127.0.0.1");
});
