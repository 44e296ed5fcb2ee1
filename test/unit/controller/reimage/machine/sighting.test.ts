import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Node } from "../../../../../controller/nodes/node.ts";
import type { NodeChangeCause } from "../../../../../controller/nodes/node-change.ts";
import { occurrenceOf, sightingOf } from "../../../../../controller/reimage/machine/sighting.ts";
import type { AgentInfo } from "../../../../../proto/node/agent-info.ts";
import type { NodeFacts } from "../../../../../proto/node/node-facts.ts";

const facts = { bootId: "boot-1", root: { source: "/dev/mmcblk0p2", filesystemType: "ext4", disk: "/dev/mmcblk0" } };
const agent: AgentInfo = { version: "1", role: "resident", instanceId: "run-1", port: 7710 };
const bootStage = { path: "kernel8.img", at: 7, served: true };
const node = { facts: facts as unknown as NodeFacts, agent, bootStage } as Node;
const sighting = {
  role: "resident",
  bootId: "boot-1",
  instanceId: "run-1",
  rootDevice: "/dev/mmcblk0p2",
  rootDisk: "/dev/mmcblk0",
};

describe("what a change of a node means to its reimage", () => {
  const meanings: Record<NodeChangeCause, "sighted" | "fetched" | "leased" | "nothing"> = {
    discovered: "nothing",
    registered: "sighted",
    heartbeat: "sighted",
    "went-silent": "nothing",
    "came-back": "nothing",
    renamed: "nothing",
    accepted: "nothing",
    labelled: "nothing",
    forgotten: "nothing",
    "boot-target-changed": "nothing",
    "address-leased": "leased",
    "boot-file-fetched": "fetched",
    proved: "nothing",
    "proof-voided": "nothing",
    "own-board-back": "nothing",
  };
  const occurrences = {
    sighted: { type: "agent-sighted", ...sighting },
    fetched: { type: "boot-file-fetched", ...bootStage },
    leased: { type: "address-leased", at: node.lastSeenAt },
    nothing: undefined,
  };
  for (const [cause, meaning] of Object.entries(meanings) as [NodeChangeCause, keyof typeof occurrences][])
    it(`${cause}: ${meaning}`, () => assert.deepEqual(occurrenceOf({ node, cause }), occurrences[meaning]));

  it("nothing before an agent has registered, or a file was asked for", () => {
    const { agent: _, bootStage: __, ...unknown } = node;
    assert.equal(sightingOf(unknown), undefined);
    assert.equal(occurrenceOf({ node: unknown, cause: "heartbeat" }), undefined);
    assert.equal(occurrenceOf({ node: unknown, cause: "boot-file-fetched" }), undefined);
  });
});
