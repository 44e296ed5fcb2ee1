// What fits the nodes' network is decided once: dnsmasq's start, "serve --check" and the configuration are held to it.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { selectNetworkProblems } from "../../../../../controller/check/select-network-problems.ts";
import { networkContradictions } from "../../../../../controller/config/network-contradictions.ts";
import { chooseDhcpNetwork, misfitsOf } from "../../../../../controller/network/dnsmasq/choose-dhcp-network.ts";
import { planDnsmasq } from "../../../../../controller/network/dnsmasq/plan-dnsmasq.ts";
import { parseIpv4Network } from "../../../../../controller/network/ipv4.ts";
import type { DhcpConfig } from "../../../../../controller/network/network-config.ts";

const listen = "10.77.0.1";
const dhcp: DhcpConfig = { mode: "server", interface: "eth1", leaseSeconds: 60, replyDelaySeconds: 0, dns: [] };
const interfaces = (address: string, prefixLength: number) => [
  { name: "eth1", isUp: true, hasCarrier: true, addresses: [{ address, prefixLength }] },
];

const rows: readonly [
  what: string,
  said: Partial<DhcpConfig>,
  has: readonly [address: string, prefixLength: number],
  /** Undefined when the interface is not in the network yet. */
  problems: readonly RegExp[] | undefined,
][] = [
  ["nothing but the interface", {}, [listen, 24], []],
  [
    "a range and a router in the network",
    { range: ["10.77.0.9", "10.77.0.10"], gateway: "10.77.0.2" },
    [listen, 24],
    [],
  ],
  ["no router", { gateway: "none" }, [listen, 24], []],
  [
    "a range beyond it",
    { range: ["10.77.0.9", "10.77.1.9"] },
    [listen, 24],
    [/^dhcp\.range: 10\.77\.1\.9 is not a host/],
  ],
  [
    "its broadcast address as the router",
    { gateway: "10.77.0.255" },
    [listen, 24],
    [/^dhcp\.gateway: 10\.77\.0\.255 is not/],
  ],
  [
    "both",
    { range: ["10.9.0.1", "10.77.0.9"], gateway: "10.9.0.2" },
    [listen, 24],
    [/^dhcp\.range: 10\.9\.0\.1/, /^dhcp\.gateway/],
  ],
  [
    "a network of two addresses",
    {},
    [listen, 31],
    [/^10\.77\.0\.0\/31, the network of eth1, is too small for a range/],
  ],
  ["that network, where another server gives the addresses", { mode: "proxy" }, [listen, 31], []],
  ["a subnet that the interface is not in", { subnet: "10.78.0.0/24" }, [listen, 24], undefined],
];

describe("the network of the nodes", () => {
  for (const [what, said, has, expected] of rows)
    it(`${what}: ${expected === undefined ? "not yet" : expected.length === 0 ? "fits" : "does not fit"}`, () => {
      const config = { ...dhcp, ...said };
      const network = parseIpv4Network(has.join("/"));
      assert.ok(network);
      const addresses = [{ interface: "eth1", address: has[0], network }];
      const chosen = chooseDhcpNetwork(config, addresses);
      const misfits = chosen && misfitsOf(config, chosen);
      assert.equal(misfits?.length, expected?.length);
      for (const [index, { message }] of (misfits ?? []).entries()) assert.match(message, expected?.[index] ?? /never/);

      const machine = { forwards: false, nameServers: [], timeAddresses: [] };
      const files = { hosts: "h", leases: "l", pid: "p" };
      const plan = () => planDnsmasq({ dhcp: config, advertise: listen }, addresses, machine, files as never);
      const [first] = misfits ?? [{ message: "the interface eth1 has no IPv4 address in 10.78.0.0/24 (dhcp.subnet)" }];
      if (first === undefined) assert.equal(plan().settings.address, listen);
      else assert.throws(plan, (error: Error) => error.message.startsWith(first.message));

      const facts = { interfaces: interfaces(...has) };
      const found = selectNetworkProblems({ listen, advertise: listen, dhcp: config }, facts);
      assert.deepEqual(
        found.map(({ message, isFatal }) => [message, isFatal]),
        misfits === undefined ? [[first?.message, false]] : misfits.map(({ message }) => [message, true]),
      );
    });

  it("is contradicted by the same addresses where the operator named it", () => {
    for (const [, said] of rows) {
      const config = { ...dhcp, ...said, subnet: "10.77.0.0/24" };
      const chosen = chooseDhcpNetwork(config, [
        { interface: "eth1", address: listen, network: { base: 0x0a4d0000, prefixLength: 24 } },
      ]);
      assert.ok(chosen);
      const contradictions = [...networkContradictions({ advertise: listen, dhcp: config, nfs: { mode: "none" } })];
      assert.equal(
        contradictions.filter(([, problem]) => problem.includes("is not a host address")).length,
        misfitsOf(config, chosen).length,
      );
    }
  });
});
