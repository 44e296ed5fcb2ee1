import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { chooseOffers, type MachineRole, servesDns } from "../../../../../controller/network/dnsmasq/choose-offers.ts";
import { chooseRange } from "../../../../../controller/network/dnsmasq/choose-range.ts";
import { parseMachineRole } from "../../../../../controller/network/dnsmasq/parse-machine-role.ts";
import { renderOffers } from "../../../../../controller/network/dnsmasq/render-offers.ts";
import { parseIpv4Network } from "../../../../../controller/network/ipv4.ts";
import type { DhcpConfig } from "../../../../../controller/network/network-config.ts";

const nothing: MachineRole = { forwards: false, nameServers: [], timeAddresses: [] };
const all: MachineRole = { forwards: true, wayOut: "eth0", nameServers: ["192.0.2.53"], timeAddresses: ["0.0.0.0"] };
const dhcp: DhcpConfig = { mode: "server", interface: "eth1", leaseSeconds: 3600, replyDelaySeconds: 2, dns: [] };

describe("what nodes are offered", () => {
  const rows: readonly [string, Partial<DhcpConfig>, Partial<MachineRole>, MachineRole, string][] = [
    [
      "is this machine for all that it is",
      {},
      {},
      all,
      "router 10.0.0.1; DNS 10.0.0.1 (relay to 192.0.2.53); time 10.0.0.1",
    ],
    [
      "is DNS alone on a machine that is nothing else",
      {},
      {},
      nothing,
      "router none: this machine does not forward (net.ipv4.ip_forward is 0); " +
        "DNS 10.0.0.1 (relay to nobody: /etc/resolv.conf names no server); time none: nothing on this machine serves it (UDP port 123)",
    ],
    [
      "is no router that has no way out",
      {},
      { forwards: true },
      nothing,
      "router none: this machine has no default route; DNS 10.0.0.1 (relay to nobody: /etc/resolv.conf names no server); time none: nothing on this machine serves it (UDP port 123)",
    ],
    [
      "is no detour to a router in the nodes' own network",
      {},
      { wayOut: "eth1" },
      all,
      "router none: this machine's own router is on eth1 too: set dhcp.gateway to it; DNS 10.0.0.1 (relay to 192.0.2.53); time 10.0.0.1",
    ],
    [
      "is no time that is served to this machine alone",
      {},
      { timeAddresses: ["127.0.0.1", "192.0.2.9"] },
      all,
      "router 10.0.0.1; DNS 10.0.0.1 (relay to 192.0.2.53); time none: nothing on this machine serves it (UDP port 123)",
    ],
    [
      "is what the operator says",
      { gateway: "10.0.0.9", dns: ["9.9.9.9"], ntp: ["10.0.0.8", "10.0.0.7"] },
      {},
      all,
      "router 10.0.0.9; DNS 9.9.9.9; time 10.0.0.8, 10.0.0.7",
    ],
    [
      "is the relay that the operator wants, to the servers that he names",
      { dnsUpstream: ["9.9.9.9"] },
      {},
      nothing,
      "router none: this machine does not forward (net.ipv4.ip_forward is 0); DNS 10.0.0.1 (relay to 9.9.9.9); time none: nothing on this machine serves it (UDP port 123)",
    ],
    [
      "is nothing where the operator wants nothing",
      { gateway: "none", dnsUpstream: [], ntp: [] },
      {},
      all,
      "router none: dhcp.gateway is none; DNS none: dhcp.dnsUpstream is empty, and dhcp.dns too; time none: dhcp.ntp is empty",
    ],
  ];
  for (const [title, settings, change, machine, expected] of rows) {
    it(title, () => {
      const role = { ...machine, ...change };
      assert.equal(renderOffers(chooseOffers({ ...dhcp, ...settings }, "10.0.0.1", role), role), expected);
    });
  }

  it("beside another DHCP server is DNS only where it is asked for: nobody would be told of it", () => {
    assert.equal(servesDns({ mode: "proxy", dns: [] }), false);
    assert.equal(servesDns({ mode: "proxy", dns: [], dnsUpstream: ["9.9.9.9"] }), true);
    assert.equal(servesDns({ mode: "none", dns: [] }), false);
  });
});

describe("addresses to give away", () => {
  for (const [network, taken, expected] of [
    ["10.0.0.0/24", ["10.0.0.1"], ["10.0.0.128", "10.0.0.254"]],
    ["10.0.0.0/24", ["10.0.0.254"], ["10.0.0.128", "10.0.0.253"]],
    ["10.0.0.0/24", ["10.0.0.200", "10.0.0.128"], ["10.0.0.129", "10.0.0.199"]],
    ["192.168.0.0/16", [], ["192.168.128.0", "192.168.255.254"]],
    ["10.0.0.0/29", ["10.0.0.1"], ["10.0.0.4", "10.0.0.6"]],
    ["10.0.0.0/30", ["10.0.0.1"], ["10.0.0.2", "10.0.0.2"]],
    ["10.0.0.0/30", ["10.0.0.2"], undefined],
    ["10.0.0.0/31", [], undefined],
    ["10.0.0.1/32", [], undefined],
    ["200.0.0.0/6", [], ["202.0.0.0", "203.255.255.254"]],
  ] as const) {
    it(`in ${network} with ${taken.join(" and ") || "nothing"} taken are ${expected?.join(" to ") ?? "none"}`, () => {
      const parsed = parseIpv4Network(network);
      assert.ok(parsed);
      assert.deepEqual(chooseRange(parsed, taken), expected);
    });
  }
});

describe("what a machine is for the network", () => {
  it("is read from the kernel's tables and from resolv.conf", () => {
    const role = parseMachineRole({
      forward: "1\n",
      routes:
        "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n" +
        "wlan0\t00000000\t0100A8C0\t0003\t0\t0\t600\t00000000\t0\t0\t0\n" +
        "eth0\t00000000\t0100000A\t0003\t0\t0\t100\t00000000\t0\t0\t0\n" +
        "eth1\t0000000A\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0\n",
      sockets: [
        "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops\n" +
          "  339: 0100000A:007B 00000000:0000 07 00000000:00000000 00:00000000 00000000   106        0 21735 2 0000000000000000 0\n" +
          "  404: 0100007F:0143 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 21738 2 0000000000000000 0\n",
        "",
      ],
      resolver: "# nameserver 192.0.2.1\nsearch example.org\nnameserver 192.0.2.53\nnameserver\t2001:db8::53\n",
    });
    assert.deepEqual(role, {
      forwards: true,
      wayOut: "eth0",
      nameServers: ["192.0.2.53", "2001:db8::53"],
      timeAddresses: ["10.0.0.1"],
    });
  });

  it("is nothing where there are no such files", () => {
    const role = parseMachineRole({ forward: "", routes: "", sockets: ["", ""], resolver: "" });
    assert.deepEqual(role, { forwards: false, nameServers: [], timeAddresses: [] });
  });
});
