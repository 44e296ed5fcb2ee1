import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { parseOffer, renderDiscover } from "../../../../controller/setup/dhcp-message.ts";
import { parseLinks, parseRoutes } from "../../../../controller/setup/parse-links.ts";
import { parseRuleset } from "../../../../controller/setup/parse-ruleset.ts";
import { parseUnits } from "../../../../controller/setup/parse-units.ts";

describe("what a setup reads", () => {
  it("has the interfaces of ip -json -details address", () => {
    // Printed by iproute2 6.1.0, cut to what matters.
    const text = JSON.stringify([
      {
        ifname: "lo",
        flags: ["LOOPBACK", "UP", "LOWER_UP"],
        link_type: "loopback",
        address: "00:00:00:00:00:00",
        addr_info: [
          { family: "inet", local: "127.0.0.1", prefixlen: 8 },
          { family: "inet6", local: "::1", prefixlen: 128 },
        ],
      },
      {
        ifname: "eth1",
        flags: ["BROADCAST", "NO-CARRIER", "UP"],
        link_type: "ether",
        address: "02:00:00:00:00:11",
        permaddr: "dc:a6:32:01:02:03",
        master: "br0",
        linkinfo: { info_kind: "vlan" },
        addr_info: [
          { family: "inet", local: "10.0.0.1", prefixlen: 24 },
          { family: "inet6", local: "fe80::1", prefixlen: 64 },
        ],
      },
      { ifname: "wlan0", flags: [], link_type: "ether", address: "02:00:00:00:00:12", addr_info: [] },
    ]);
    assert.deepEqual(parseLinks(text, ["wlan0"]).slice(1), [
      {
        ...{
          name: "eth1",
          mac: "02:00:00:00:00:11",
          permanentMac: "dc:a6:32:01:02:03",
          type: "ether",
          kind: "vlan",
          controller: "br0",
        },
        ...{ isWireless: false, isUp: true, hasCarrier: false, addresses: ["10.0.0.1/24"], ipv6Addresses: ["fe80::1"] },
      },
      {
        name: "wlan0",
        mac: "02:00:00:00:00:12",
        type: "ether",
        isWireless: true,
        isUp: false,
        hasCarrier: false,
        addresses: [],
        ipv6Addresses: [],
      },
    ]);
  });

  it("has the routes of ip -json -4 route, which prints nothing where there are none", () => {
    const text =
      '[{"dst":"default","gateway":"192.0.2.1","dev":"eth0"},{"dst":"192.0.2.0/24","dev":"eth0"},{"dst":"10.9.9.9","dev":"wg0"},{"type":"unreachable","dst":"10.1.0.0/16"}]';
    assert.deepEqual(parseRoutes(text), [
      { network: "0.0.0.0/0", device: "eth0" },
      { network: "192.0.2.0/24", device: "eth0" },
      { network: "10.9.9.9/32", device: "wg0" },
    ]);
    assert.deepEqual(parseRoutes("\n"), []);
    assert.deepEqual(parseRoutes('[{"dst":"default","gateway":"fe80::1","dev":"eth0"}]', "::/0"), [
      { network: "::/0", device: "eth0" },
    ]);
  });

  it("has the units of systemctl show, each by the name that was asked for", () => {
    const text = [
      "Id=nfs-server.service\nLoadState=loaded\nActiveState=active\nSubState=exited\nUnitFileState=enabled\nFragmentPath=/lib/systemd/system/nfs-server.service",
      "Id=x.service\nLoadState=not-found\nActiveState=inactive\nSubState=dead\nUnitFileState=\nFragmentPath=",
      "Id=c.service\nLoadState=loaded\nActiveState=activating\nSubState=auto-restart\nUnitFileState=enabled\nFragmentPath=/etc/c",
    ].join("\n\n");
    assert.deepEqual(
      [...parseUnits(text, ["nfs-kernel-server.service", "x.service", "c.service"])],
      [
        [
          "nfs-kernel-server.service",
          {
            exists: true,
            isActive: true,
            isRestarting: false,
            enablement: "enabled",
            file: "/lib/systemd/system/nfs-server.service",
          },
        ],
        ["x.service", { exists: false, isActive: false, isRestarting: false, enablement: "" }],
        ["c.service", { exists: true, isActive: true, isRestarting: true, enablement: "enabled", file: "/etc/c" }],
      ],
    );
  });

  it("has the chains that drop what they have no rule for, but ours and those that know the rack's interface", () => {
    const chain = (table: string, name: string, hook: string, policy: string) => ({
      chain: { family: "inet", table, name, hook, policy },
    });
    const rule = (table: string, device: string) => ({
      rule: { family: "inet", table, expr: [{ match: { right: device } }] },
    });
    const text = JSON.stringify({
      nftables: [
        { metainfo: {} },
        chain("pallet", "input", "input", "drop"),
        chain("filter", "input", "input", "drop"),
        chain("filter", "output", "output", "drop"),
        chain("open", "input", "input", "accept"),
        chain("firewalld", "filter_FORWARD", "forward", "accept"),
        chain("told", "input", "input", "drop"),
        rule("told", "rack0"),
        rule("filter", "rack01"),
      ],
    });
    assert.deepEqual(parseRuleset(text, "pallet", "rack0"), [
      { table: "inet filter", chain: "input", hook: "input" },
      { table: "inet firewalld", chain: "filter_FORWARD", hook: "forward" },
    ]);
  });

  it("has who answers a DHCPDISCOVER, and only answers to this one", () => {
    const asked = renderDiscover(0xdeadbeef, "02:00:00:00:00:01");
    assert.equal(asked.length, 300);
    assert.equal(asked.subarray(28, 34).toString("hex"), "020000000001");
    const answer = (options: readonly number[]): Buffer => {
      const message = Buffer.from(asked.subarray(0, 240));
      message[0] = 2;
      return Buffer.concat([message, Buffer.from(options)]);
    };
    const offer = answer([53, 1, 2, 54, 4, 10, 0, 0, 1, 255]);
    assert.equal(parseOffer(offer, 0xdeadbeef), "10.0.0.1");
    assert.equal(parseOffer(offer, 1), undefined);
    assert.equal(parseOffer(answer([53, 1, 5, 54, 4, 10, 0, 0, 1, 255]), 0xdeadbeef), undefined, "an ACK");
    assert.equal(parseOffer(asked, 0xdeadbeef), undefined, "a question");
    assert.equal(parseOffer(answer([53, 1, 2, 255]), 0xdeadbeef), "one that does not name itself");
  });
});
