import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { renderDhcpHosts } from "../../../../../controller/network/dnsmasq/render-dhcp-hosts.ts";
import { type DnsmasqSettings, renderDnsmasq } from "../../../../../controller/network/dnsmasq/render-dnsmasq.ts";
import { renderNames } from "../../../../../controller/network/dnsmasq/render-names.ts";
import type { NodeId } from "../../../../../proto/names/node-id.ts";
import { assertGolden } from "../../../../golden.ts";
import { everything } from "./settings.ts";

const { gateway: _, domain: __, range: ___, relay: ____, ...rest } = everything;
const bare: DnsmasqSettings = { ...rest, dns: [], ntp: [] };

describe("the configuration of dnsmasq", () => {
  it("serves addresses and names, with everything set", () => {
    assertGolden("network/dnsmasq-everything.conf", renderDnsmasq(everything));
  });

  it("serves addresses only, with nothing set", () => {
    const least: DnsmasqSettings = {
      ...bare,
      range: ["10.77.0.100", "10.77.0.200"],
      replyDelaySeconds: 0,
    };
    assertGolden("network/dnsmasq-least.conf", renderDnsmasq(least));
  });

  it("asks whom this machine asks, and notices when those change", () => {
    const rendered = renderDnsmasq({ ...everything, relay: "resolv.conf" });
    assert.match(rendered, /^resolv-file=\/etc\/resolv\.conf$/m);
    assert.doesNotMatch(rendered, /^(no-resolv|no-poll|port=0|server=.*)$/m);
  });

  it("answers boot ROMs beside another server", () => {
    assertGolden("network/dnsmasq-proxy.conf", renderDnsmasq({ ...bare, mode: "proxy" }));
  });

  it("lets no value end its line or its field", () => {
    const wrong: readonly Partial<DnsmasqSettings>[] = [
      { interface: "eth0\ndhcp-script=/bin/sh" },
      { interface: "eth0,lo" },
      { range: ["10.0.0.1,static", "10.0.0.2"] },
      { gateway: "10.0.0.1\n" },
      { dns: ["1.1.1.1,2.2.2.2"] },
      { relay: ["1.1.1.1#53@eth1"] },
      { ntp: ["1.1.1.1\nuser=x"] },
      { domain: "rack example" },
      { tftpServer: '10.0.0.1"' },
      { leaseSeconds: 1.5 },
      { files: { ...everything.files, leases: "/tmp/a b" } },
      { files: { ...everything.files, hosts: "relative" } },
    ];
    for (const change of wrong) {
      assert.throws(() => renderDnsmasq({ ...everything, ...change }), { reason: "invalid" }, JSON.stringify(change));
    }
  });
});

describe("the hosts that dnsmasq knows", () => {
  const node = (last: number, name: string, address: string | undefined, lastSeenAt: number) => ({
    id: `b8:27:eb:00:00:0${last}` as NodeId,
    name,
    lastSeenAt,
    ...(address !== undefined && { address }),
  });

  it("keep their addresses, in the subnet, one each, never the server's", () => {
    const nodes = [
      node(6, "elsewhere", "10.78.0.5", 1),
      node(5, "no-address", undefined, 1),
      node(4, "server", "10.77.0.1", 1),
      node(3, "older", "10.77.0.12", 1),
      node(2, "newer", "10.77.0.12", 2),
      node(1, "first", "10.77.0.11", 1),
      node(7, "six", "fe80::1", 1),
    ];
    assert.equal(
      renderDhcpHosts(nodes, everything),
      [
        "b8:27:eb:00:00:01,10.77.0.11,first",
        "b8:27:eb:00:00:02,10.77.0.12,newer",
        "b8:27:eb:00:00:03,older",
        "b8:27:eb:00:00:04,server",
        "b8:27:eb:00:00:05,no-address",
        "b8:27:eb:00:00:06,elsewhere",
        "b8:27:eb:00:00:07,six",
        "",
      ].join("\n"),
    );
  });

  it("have no name that would be another field or line", () => {
    assert.equal(renderDhcpHosts([node(1, "a,ignore", undefined, 1), node(2, "a\nb", undefined, 1)], everything), "");
  });
});

describe("the names that DNS answers for", () => {
  const node = (name: string, address: string | undefined, lastSeenAt = 1, accepted = true) => ({
    ...{ name, accepted, lastSeenAt },
    ...(address !== undefined && { address }),
  });
  const own = { address: "10.77.0.1", domain: "rack.internal" };
  const first = "10.77.0.1 controller.rack.internal controller";
  const rows: readonly [string, Parameters<typeof renderNames>[0], readonly string[]][] = [
    ["are this machine's own where there are no nodes", [], []],
    ["are those of accepted nodes", [node("node-7", "10.77.0.12")], ["10.77.0.12 node-7.rack.internal node-7"]],
    ["are not those of pending ones", [node("node-7", "10.77.0.12", 1, false)], []],
    [
      "stay for nodes that were not heard for long",
      [node("old", "10.77.0.12", 0)],
      ["10.77.0.12 old.rack.internal old"],
    ],
    ["are also of nodes in another network", [node("far", "192.0.2.9")], ["192.0.2.9 far.rack.internal far"]],
    [
      "are of the one that was seen last, where two have an address",
      [node("older", "10.77.0.12", 1), node("newer", "::ffff:10.77.0.12", 2)],
      ["10.77.0.12 newer.rack.internal newer"],
    ],
    ["never take this machine's address or name", [node("a", "10.77.0.1"), node("controller", "10.77.0.13")], []],
    [
      "are of no address that leads elsewhere or nowhere, or would be another field or line",
      ["127.0.0.1", "0.0.0.0", "fe80::1", "", undefined, "10.77.0.1\n10.77.0.2 x"].map((at, n) => node(`n${n}`, at)),
      [],
    ],
    ["are no names that would be", [node("a b", "10.77.0.12"), node("a\nb", "10.77.0.13")], []],
  ];
  for (const [title, nodes, lines] of rows) {
    it(title, () => assert.equal(renderNames(nodes, own), [first, ...lines, ""].join("\n")));
  }

  it("stand alone without a domain", () => {
    assert.equal(
      renderNames([node("one", "10.77.0.2")], { address: "10.77.0.1" }),
      "10.77.0.1 controller\n10.77.0.2 one\n",
    );
  });
});
