import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { MachineRole } from "../../../../../controller/network/dnsmasq/choose-offers.ts";
import { openDhcpService } from "../../../../../controller/network/dnsmasq/dhcp-service.ts";
import type { Dnsmasq, DnsmasqOptions } from "../../../../../controller/network/dnsmasq/dnsmasq.ts";
import { planDnsmasq } from "../../../../../controller/network/dnsmasq/plan-dnsmasq.ts";
import type { DhcpConfig } from "../../../../../controller/network/network-config.ts";
import type { Node } from "../../../../../controller/nodes/node.ts";
import type { NodeChangeListener } from "../../../../../controller/nodes/node-change.ts";
import type { NodeId } from "../../../../../proto/names/node-id.ts";
import { createManualClock } from "../../../proto/time/manual-clock.ts";
import { everything } from "./settings.ts";

const dhcp: DhcpConfig = {
  mode: "server",
  interface: "eth0",
  range: ["10.77.0.100", "10.77.0.200"],
  leaseSeconds: 3600,
  replyDelaySeconds: 0,
  dns: [],
  dnsUpstream: [],
};
const addresses = [
  { interface: "lo", address: "127.0.0.1", network: { base: 0x7f000000, prefixLength: 8 } },
  { interface: "eth0", address: "10.77.0.1", network: everything.subnet },
];
const machine: MachineRole = { forwards: false, nameServers: [], timeAddresses: [] };
const plan = (advertise: string, settings = dhcp) =>
  planDnsmasq({ dhcp: settings, advertise }, addresses, machine, everything.files);

describe("the plan for dnsmasq", () => {
  it("takes subnet and address from the interface, and the advertised address for TFTP", () => {
    const { address, subnet, tftpServer } = plan("10.77.0.9").settings;
    assert.deepEqual([address, subnet, tftpServer], ["10.77.0.1", everything.subnet, "10.77.0.9"]);
    assert.equal(plan("boot.rack").settings.tftpServer, "10.77.0.1");
  });

  it("chooses addresses to give away where none are named", () => {
    const { range: _, ...unranged } = dhcp;
    assert.deepEqual(plan("10.77.0.1", unranged).settings.range, ["10.77.0.128", "10.77.0.254"]);
    const gateway = { ...unranged, gateway: "10.77.0.254" };
    assert.deepEqual(plan("10.77.0.1", gateway).settings.range, ["10.77.0.128", "10.77.0.253"]);
    assert.equal(plan("10.77.0.1", { ...unranged, mode: "proxy" }).settings.range, undefined);
    const tiny = { ...unranged, subnet: "10.77.0.0/31" };
    assert.throws(() => plan("10.77.0.1", tiny), /too small for a range .* set dhcp\.range/);
  });

  for (const [what, change, message] of [
    ["an interface that is not there", { interface: "eth7" }, /eth7 .*has no IPv4 address.*eth0 10\.77\.0\.1 in/],
    [
      "a subnet that the interface is not in",
      { subnet: "10.0.0.0/24" },
      /no IPv4 address in 10\.0\.0\.0\/24 \(dhcp\.subnet\)/,
    ],
    [
      "a range beyond the network",
      { range: ["10.77.0.100", "10.77.1.1"] },
      /dhcp\.range: 10\.77\.1\.1 is not a host address/,
    ],
    [
      "a gateway that is the network itself",
      { gateway: "10.77.0.0" },
      /dhcp\.gateway: 10\.77\.0\.0 is not a host address/,
    ],
  ] as const) {
    it(`refuses ${what}`, () => {
      const config = { dhcp: { ...dhcp, ...change } as DhcpConfig, advertise: "10.77.0.1" };
      assert.throws(() => planDnsmasq(config, addresses, machine, everything.files), message);
    });
  }
});

/** A DHCP service whose dnsmasq is told as `setHosts` says, and a node that changes. */
async function openService(setHosts: Dnsmasq["setHosts"]) {
  let nodes = [{ id: "b8:27:eb:00:00:01" as NodeId, name: "one", accepted: false, lastSeenAt: 0 } as Node];
  const listeners = new Set<NodeChangeListener>();
  const clock = createManualClock();
  const problems: string[] = [];
  let options: DnsmasqOptions | undefined;
  let closed = false;
  const service = await openDhcpService({
    config: { dhcp, advertise: "10.77.0.1" },
    directory: "/state/dnsmasq",
    addresses,
    machine,
    nodes: {
      list: () => nodes,
      get: () => undefined,
      recordLease: () => undefined,
      onChange: (listener) => {
        listeners.add(listener);
        return () => listeners.delete(listener);
      },
    },
    events: { append: () => undefined },
    clock,
    log: { debug: () => undefined, info: () => undefined, error: (_, message) => void problems.push(message) },
    startDnsmasq: async (given) => {
      options = given;
      return {
        setHosts,
        async close() {
          closed = true;
        },
      };
    },
  });
  const change = (cause: Parameters<NodeChangeListener>[0]["cause"]): void => {
    for (const listener of listeners) listener({ node: nodes[0] as Node, cause });
  };
  return {
    ...{ service, clock, problems, listeners, change },
    options: () => options,
    isClosed: () => closed,
    rename(name: string) {
      nodes = nodes.map((node) => ({ ...node, name }));
      change("renamed");
    },
    become(what: Partial<Node>, cause: Parameters<typeof change>[0]) {
      nodes = nodes.map((node) => ({ ...node, ...what }));
      change(cause);
    },
    elapse: (): Promise<void> => clock.advanceSettling(1000),
  };
}

describe("the DHCP service", () => {
  it("tells dnsmasq of nodes as they change, many changes at once, and only what is new", async () => {
    const told: (string | undefined)[] = [];
    const { service, clock, listeners, options, isClosed, change, rename, elapse } = await openService(
      async (hosts) => {
        told.push(hosts[0]?.name);
      },
    );
    assert.deepEqual(
      options()?.hosts.map(({ name }) => name),
      ["one"],
    );
    assert.equal(options()?.settings.files.hosts, "/state/dnsmasq/hosts");

    change("heartbeat");
    assert.equal(clock.timers(), 0);
    rename("two");
    change("address-leased");
    assert.equal(clock.timers(), 1);
    await elapse();
    change("boot-file-fetched");
    await elapse();
    assert.deepEqual(told, ["two"]);

    await service.close();
    assert.equal(isClosed(), true);
    assert.equal(listeners.size, 0);
  });

  it("tells dnsmasq who is accepted, and of a heartbeat only that comes from another address", async () => {
    const told: unknown[] = [];
    const { clock, become, elapse } = await openService(async ([node]) => {
      told.push([node?.address, node?.accepted]);
    });
    become({ address: "10.77.0.20" }, "registered");
    await elapse();
    become({ accepted: true }, "accepted");
    await elapse();
    become({ lastSeenAt: 1 }, "heartbeat");
    assert.equal(clock.timers(), 0);
    // One of another network, which DHCP does not give, but DNS tells.
    become({ address: "10.78.0.5" }, "heartbeat");
    await elapse();
    assert.deepEqual(told, [
      ["10.77.0.20", false],
      ["10.77.0.20", true],
      ["10.78.0.5", true],
    ]);
  });

  it("tells dnsmasq one thing after the other, however long it takes and however fast nodes change", async () => {
    const told: (string | undefined)[] = [];
    const held: (() => void)[] = [];
    const { rename, elapse } = await openService((hosts) => {
      told.push(hosts[0]?.name);
      return new Promise((resolve) => held.push(resolve));
    });
    for (const name of ["two", "three", "four"]) {
      rename(name);
      await elapse();
    }
    assert.deepEqual(told, ["two"]);
    held.shift()?.();
    await elapse();
    assert.deepEqual(told, ["two", "four"]);
  });

  it("tells dnsmasq again, at the next change of a node, what could not be told", async () => {
    const told: (string | undefined)[] = [];
    const { problems, change, rename, elapse } = await openService(async (hosts) => {
      told.push(hosts[0]?.name);
      if (told.length === 1) throw new Error("the disk is full");
    });
    rename("two");
    await elapse();
    assert.deepEqual(problems, ["could not pass the nodes to dnsmasq"]);
    change("address-leased");
    await elapse();
    assert.deepEqual(told, ["two", "two"]);
  });
});
