import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { parseLinkDump } from "../../../../agent/inventory/parse-link-dump.ts";
import { selectInterfaces } from "../../../../agent/inventory/select-interfaces.ts";
import type { NodeId } from "../../../../proto/names/node-id.ts";

const padded = (bytes: Buffer): Buffer => Buffer.concat([bytes, Buffer.alloc((4 - (bytes.length % 4)) % 4)]);

function attribute(type: number, value: Buffer): Buffer {
  const head = Buffer.alloc(4);
  head.writeUInt16LE(4 + value.length, 0);
  head.writeUInt16LE(type, 2);
  return padded(Buffer.concat([head, value]));
}

function message(type: number, body: Buffer): Buffer {
  const head = Buffer.alloc(16);
  head.writeUInt32LE(16 + body.length, 0);
  head.writeUInt16LE(type, 4);
  return padded(Buffer.concat([head, body]));
}

function link(hardwareType: number, name: string, mac?: string, permanentMac?: string): Buffer {
  const info = Buffer.alloc(16);
  info.writeUInt16LE(hardwareType, 2);
  const octets = (text: string) => Buffer.from(text.replaceAll(":", ""), "hex");
  return message(
    16,
    Buffer.concat([
      info,
      attribute(3, Buffer.from(`${name}\0`)),
      ...(mac === undefined ? [] : [attribute(1, octets(mac))]),
      ...(permanentMac === undefined ? [] : [attribute(54, octets(permanentMac))]),
    ]),
  );
}

const done = message(3, Buffer.alloc(4));
const nic = "b8:27:eb:00:00:01";
const bridgeMac = "02:00:5e:00:00:01";

describe("parseLinkDump", () => {
  it("lists Ethernet interfaces with the addresses that they have and came with, and no loopback", () => {
    const dump = Buffer.concat([
      link(772, "lo", "00:00:00:00:00:00"),
      link(1, "eth0", nic, nic),
      link(1, "br0", bridgeMac),
      link(65534, "tun0"),
      done,
    ]);
    assert.deepEqual(parseLinkDump(dump), {
      links: [
        { name: "eth0", mac: nic, permanentMac: nic },
        { name: "br0", mac: bridgeMac },
      ],
      isComplete: true,
    });
  });

  it("says of a piece of an answer that more will come", () => {
    assert.equal(parseLinkDump(link(1, "eth0", nic)).isComplete, false);
    assert.deepEqual(parseLinkDump(Buffer.alloc(0)), { links: [], isComplete: false });
  });

  it("takes no error and no cut answer for a list", () => {
    const refused = Buffer.alloc(20);
    refused.writeInt32LE(-1, 0);
    assert.throws(() => parseLinkDump(message(2, refused)), /errno 1/);
    const whole = link(1, "eth0", nic, nic);
    for (let length = 1; length < whole.length; length++)
      assert.throws(() => parseLinkDump(whole.subarray(0, length)), /cut/, `${length} bytes`);
  });
});

describe("selectInterfaces", () => {
  const reported = (links: Parameters<typeof selectInterfaces>[0], addresses: Record<string, string[]>) =>
    selectInterfaces(links, new Map(Object.entries(addresses)));

  it("reports the port of a bridge, by whose MAC address the board is known, beside the bridge", () => {
    const links = [
      { name: "eth0", mac: nic, permanentMac: nic },
      { name: "br0", mac: bridgeMac, kind: "bridge" },
    ];
    assert.deepEqual(reported(links, { br0: ["10.0.0.7"] }), [
      { name: "br0", mac: bridgeMac, addresses: ["10.0.0.7"] },
      { name: "eth0", mac: nic, addresses: [] },
    ]);
  });

  it("reports a port whose driver knows no address of the hardware, before what the system made", () => {
    const links = [
      { name: "macvlan0", mac: bridgeMac, kind: "macvlan" },
      { name: "dummy0", mac: "02:aa:aa:aa:aa:aa", kind: "dummy" },
      { name: "eth0", mac: nic },
    ];
    assert.deepEqual(
      reported(links, { macvlan0: ["10.0.0.7"] }).map(({ mac }) => mac),
      [bridgeMac, nic, "02:aa:aa:aa:aa:aa"],
    );
  });

  it("reports the MAC address of the hardware when the system has set another one, and that one too", () => {
    const links = [{ name: "eth0", mac: "02:11:22:33:44:55", permanentMac: nic }];
    assert.deepEqual(reported(links, { eth0: ["10.0.0.7"] }), [
      { name: "eth0", mac: nic, currentMac: "02:11:22:33:44:55", addresses: ["10.0.0.7"] },
    ]);
  });

  it("reports the one by which the node is known first, however many others have addresses", () => {
    const bridges = Array.from({ length: 40 }, (_, index) => ({ name: `br${index}`, mac: bridgeMac, kind: "bridge" }));
    const addresses = new Map(bridges.map(({ name }) => [name, ["172.17.0.1"]]));
    for (const eth0 of [
      { name: "eth0", mac: nic, permanentMac: nic },
      { name: "eth0", mac: nic, permanentMac: "02:11:22:33:44:55" },
    ]) {
      assert.equal(selectInterfaces([...bridges, eth0], addresses, nic as NodeId)[0]?.name, "eth0");
    }
  });

  it("leaves out interfaces without a MAC address, and most of those that a host of containers has", () => {
    const veths = Array.from({ length: 200 }, (_, index) => ({ name: `veth${index}`, mac: bridgeMac, kind: "veth" }));
    const found = reported([...veths, { name: "dummy0" }, { name: "eth0", mac: nic, permanentMac: nic }], {});
    assert.equal(found.length, 32);
    assert.equal(found[0]?.name, "eth0");
  });
});
