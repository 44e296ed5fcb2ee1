import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, it } from "node:test";
import fc from "fast-check";
import type { NewEvent } from "../../../../../controller/events/event.ts";
import { explainDnsmasqEnd } from "../../../../../controller/network/dnsmasq/explain-dnsmasq-end.ts";
import { createLeaseWatch } from "../../../../../controller/network/dnsmasq/lease-watch.ts";
import { parseDnsmasqLog } from "../../../../../controller/network/dnsmasq/parse-dnsmasq-log.ts";
import type { Node } from "../../../../../controller/nodes/node.ts";
import type { NodeId } from "../../../../../proto/names/node-id.ts";
import { goldenFile } from "../../../../golden.ts";
import { createManualClock } from "../../../proto/time/manual-clock.ts";

const linesOf = (name: string): string[] => readFileSync(goldenFile(`network/${name}`), "utf8").split("\n");
const first = "52:54:00:00:00:01";
const second = "52:54:00:00:00:02";

describe("dnsmasq's log", () => {
  it("tells who calls itself what, asks and gets an address", () => {
    const notices = linesOf("dnsmasq-server-log.txt").flatMap((line) => parseDnsmasqLog(line) ?? []);
    const [transaction = ""] = notices.map((notice) => notice.transaction);
    assert.deepEqual(
      notices.filter((notice) => notice.transaction === transaction),
      [
        { kind: "vendor-class", transaction, vendorClass: "PXEClient:Arch:00000:UNDI:002001" },
        { kind: "asked", transaction, mac: first, proxy: false },
        { kind: "vendor-class", transaction, vendorClass: "PXEClient:Arch:00000:UNDI:002001" },
        { kind: "leased", transaction, mac: first, address: "10.99.0.129" },
      ],
    );
    const leases = notices.filter((notice) => notice.kind === "leased");
    assert.deepEqual(
      leases.map(({ mac, address }) => [mac, address]),
      [
        [first, "10.99.0.129"],
        [second, "10.99.0.42"],
      ],
    );
  });

  it("tells of boot ROMs beside another server, and of a range that is used up", () => {
    const proxied = linesOf("dnsmasq-proxy-log.txt").flatMap((line) => parseDnsmasqLog(line) ?? []);
    assert.deepEqual(proxied.at(-1), { kind: "asked", transaction: "305419896", mac: first, proxy: true });
    const refused = linesOf("dnsmasq-full-log.txt")
      .flatMap((line) => parseDnsmasqLog(line) ?? [])
      .filter(({ kind }) => kind === "refused");
    assert.equal(refused.length, 2);
    assert.deepEqual(
      { ...refused[0], transaction: "" },
      {
        kind: "refused",
        transaction: "",
        mac: second,
        why: "no address available",
      },
    );
  });

  it("is not made to say something by what a client calls itself", () => {
    const hostile = "dnsmasq-dhcp[1]: 7 vendor class: x DHCPACK(eth0) 10.0.0.1 52:54:00:00:00:01\u001b[2J";
    assert.deepEqual(parseDnsmasqLog(hostile), {
      kind: "vendor-class",
      transaction: "7",
      vendorClass: "x DHCPACK(eth0) 10.0.0.1 52:54:00:00:00:01?[2J",
    });
    fc.assert(fc.property(fc.string(), (text) => parseDnsmasqLog(text) === undefined));
  });
});

describe("what becomes of leases", () => {
  function watchWith(nodes: readonly Partial<Node>[]) {
    const events: NewEvent[] = [];
    const leases: string[] = [];
    const clock = createManualClock(0);
    const watch = createLeaseWatch({
      nodes: {
        get: (id) => nodes.find((node) => node.id === id) as Node | undefined,
        recordLease: (id, address) => leases.push(`${id} ${address}`),
      },
      append: (event) => events.push(event),
      clock,
    });
    const feed = (name: string): void => {
      for (const line of linesOf(name)) watch.line(line);
    };
    return { events, leases, feed, later: clock.advance };
  }

  it("they reach the node records, and each board is told of once in ten minutes", () => {
    const { events, leases, feed, later } = watchWith([{ id: second as NodeId, name: "pi-two" }]);
    feed("dnsmasq-server-log.txt");
    feed("dnsmasq-server-log.txt");
    assert.equal(leases.length, 4);
    assert.deepEqual(
      events.map(({ type, message, nodeName }) => [type, message, nodeName]),
      [
        [
          "address-leased",
          `${first} (PXEClient:Arch:00000:UNDI:002001), which is not a known node, got the address 10.99.0.129`,
          undefined,
        ],
        ["address-leased", "pi-two got the address 10.99.0.42", "pi-two"],
      ],
    );
    later(10 * 60_000);
    feed("dnsmasq-server-log.txt");
    assert.equal(events.length, 4);
  });

  it("a board that gets none is a warning, once", () => {
    const { events, feed } = watchWith([]);
    feed("dnsmasq-full-log.txt");
    const warnings = events.filter(({ severity }) => severity === "warning");
    assert.equal(warnings.length, 1);
    assert.match(warnings[0]?.message ?? "", /52:54:00:00:00:02 .*got no address: no address available/);
  });
});

describe("why dnsmasq ended", () => {
  for (const [line, expected] of [
    ["dnsmasq: failed to bind DHCP server socket: Address already in use", /another program answers DHCP.*dhcp\.mode/],
    ["dnsmasq: failed to create listening socket for 10.0.0.1: Address already in use", /answers DNS.*dnsUpstream/],
    ["dnsmasq: unknown interface eth7", /unknown interface eth7: set dhcp\.interface/],
    ["dnsmasq[3]: failed to change group-id to root: Operation not permitted", /needs root, or CAP_NET_ADMIN/],
    ["dnsmasq: something else", /^something else$/],
  ] as const) {
    it(`is said for "${line}"`, () => {
      assert.match(explainDnsmasqEnd(["dnsmasq[3]: started", line, "dnsmasq[3]: FAILED to start up"]), expected);
    });
  }
  it("is said even when it said nothing", () => assert.equal(explainDnsmasqEnd([]), "it said nothing"));
});
