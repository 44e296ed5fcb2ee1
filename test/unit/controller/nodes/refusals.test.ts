import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { NewEvent } from "../../../../controller/events/event.ts";
import type { Node } from "../../../../controller/nodes/node.ts";
import { createRefusals } from "../../../../controller/nodes/refusals.ts";
import { type RefusedRegistration, selectRefusedNodes } from "../../../../controller/nodes/select-refused-nodes.ts";
import type { NodeId } from "../../../../proto/names/node-id.ts";
import { createManualClock } from "../../proto/time/manual-clock.ts";

const id = (last: string): NodeId => `b8:27:eb:00:00:${last}` as NodeId;
const aNode = (last: string, serial = ""): Node =>
  ({
    id: id(last),
    name: `rack-${last}`,
    accepted: true,
    bootTarget: { kind: "agent" },
    lastSeenAt: 0,
    discoveredAt: 0,
    facts: { serial },
  }) as Node;
const nodes = [aNode("01", "ff01"), aNode("02", "ff02"), aNode("03", "ff05"), aNode("04", "ff05")];
const refused: RefusedRegistration = { serial: "", macs: [], message: "no" };

describe("a refused registration is about", () => {
  for (const [title, given, byAddress, found] of [
    ["the node that it names", { id: id("01") }, undefined, ["rack-01"]],
    ["the node whose serial number it has, when it names none", { serial: "FF02" }, undefined, ["rack-02"]],
    ["the node whose MAC address it has", { macs: ["eth0?", "B8:27:EB:00:00:03"] }, undefined, ["rack-03"]],
    ["both, the named one and the one that it is", { id: id("01"), serial: "ff02" }, undefined, ["rack-01", "rack-02"]],
    ["one node once", { id: id("01"), serial: "ff01", macs: [id("01")] }, undefined, ["rack-01"]],
    ["the node at its address, when it says nothing that is known", { id: id("99") }, id("02"), ["rack-02"]],
    ["the node that it names, whoever had its address", { id: id("01") }, id("02"), ["rack-01"]],
    ["none by a serial number that two nodes have", { serial: "ff05" }, undefined, []],
    ["none by an empty serial number", {}, undefined, []],
    ["none that was not known before", { id: id("99"), serial: "ee", macs: [id("98")] }, id("97"), []],
  ] as const)
    it(title, () =>
      assert.deepEqual(
        selectRefusedNodes(nodes, { ...refused, ...given }, byAddress).map(({ name }) => name),
        found,
      ),
    );
});

describe("refusals", () => {
  const open = () => {
    const clock = createManualClock(1000);
    const events: NewEvent[] = [];
    return {
      clock,
      events,
      refusals: createRefusals({ append: (event) => events.push(event), clock, monotonic: clock }),
    };
  };
  const named = { ...refused, id: id("01"), address: "10.0.0.9" };

  it("are told of once, counted, and listed until the node registers", () => {
    const { clock, events, refusals } = open();
    for (let each = 0; each < 100; each++) {
      refusals.note(named, nodes, undefined);
      clock.advance(5000);
    }
    assert.deepEqual(
      events.map(({ type, nodeId, message }) => [type, nodeId, message]),
      [["registration-refused", id("01"), "rack-01: registration from 10.0.0.9 refused: no"]],
    );
    assert.deepEqual(refusals.of(id("01")), {
      kind: "registration-refused",
      message: "registration from 10.0.0.9 refused: no",
      since: 1000,
      lastAt: 496_000,
      count: 100,
    });
    refusals.end(id("01"));
    assert.equal(refusals.of(id("01")), undefined);
    refusals.note(named, nodes, undefined);
    assert.equal(events.length, 2);
  });

  it("for another reason are told of again, but not at every change of mind", () => {
    const { clock, events, refusals } = open();
    for (let each = 0; each < 100; each++) {
      refusals.note({ ...named, message: `no ${each}` }, nodes, undefined);
      clock.advance(60_000);
    }
    assert.equal(events.length, 10);
    assert.equal(refusals.of(id("01"))?.message, "registration from 10.0.0.9 refused: no 99");
  });

  it("of somebody else under the name of a node that is heard end a while after they have stopped", () => {
    const { clock, refusals } = open();
    refusals.note(named, nodes, undefined);
    refusals.heard(id("01"));
    assert.ok(refusals.of(id("01")));
    clock.advance(10 * 60_000);
    refusals.heard(id("01"));
    assert.equal(refusals.of(id("01")), undefined);
  });

  it("of strangers make no node, and no flood", () => {
    const { clock, events, refusals } = open();
    for (let each = 0; each < 5000; each++) {
      const mac = `02:00:00:00:${(each >> 8).toString(16).padStart(2, "0")}:${(each & 255).toString(16).padStart(2, "0")}`;
      refusals.note({ ...refused, id: mac as NodeId, address: "10.0.0.66", message: `no ${each}` }, nodes, undefined);
      clock.advance(10);
    }
    assert.equal(events.length, 20);
    assert.match(events[0]?.message ?? "", /no known node as 02:00:00:00:00:00 from 10\.0\.0\.66 was refused: no 0/);
    assert.ok(events.every(({ nodeId }) => nodeId === undefined));
  });
});
