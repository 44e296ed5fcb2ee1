import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { givenBack, givenBackAside, recipientOf } from "../../../../controller/nodes/give-back.ts";
import type { BoardWords, Node } from "../../../../controller/nodes/node.ts";
import type { NodeId } from "../../../../proto/names/node-id.ts";
import type { ImageDigest } from "../../../../proto/pack/digest.ts";

const digest = "d".repeat(64) as ImageDigest;
const proved = { imageName: "debian", imageDigest: digest, kind: "resident" } as const;
const given = {
  bootTarget: { kind: "local", imageDigest: digest },
  proved,
  installation: { imageDigest: digest, reimageId: "first" },
  serial: "aa",
} as const;
const voided: BoardWords = {
  name: "pi-1",
  accepted: true,
  bootTarget: { kind: "agent" },
  installation: { imageDigest: digest, reimageId: "mine", firstBoot: "due" },
};

describe("what a reimage that touched nothing gives back", () => {
  it("is target, proof and installation, where it had voided them", () => {
    const { bootTarget, installation } = given;
    assert.deepEqual(givenBack(voided, "mine", given), {
      name: "pi-1",
      accepted: true,
      bootTarget,
      proved,
      installation,
    });
  });

  it("is the target alone, where they are another's", () => {
    assert.deepEqual(givenBack(voided, "another", given), { ...voided, bootTarget: given.bootTarget });
  });

  it("goes to its own board, there or set aside", () => {
    const node: Node = { ...voided, id: "b8:27:eb:00:00:01" as NodeId, lastSeenAt: 1, discoveredAt: 1 };
    const replaced = { ...voided, serial: "aa", since: 1 };
    const replacing: Node = { ...node, name: "node-000001", board: { serial: "bb", replaced } };
    assert.equal(recipientOf({ ...node, board: { serial: "aa" } }, "aa"), "present");
    assert.equal(recipientOf(node, "aa"), "present");
    assert.equal(recipientOf(replacing, ""), "present");
    assert.equal(recipientOf(replacing, "aa"), "set-aside");
    assert.equal(recipientOf(replacing, "cc"), "nobody");
    const after = givenBackAside(replacing, "mine", given);
    assert.deepEqual(after.bootTarget, { kind: "agent" });
    assert.deepEqual(after.board?.replaced?.bootTarget, given.bootTarget);
    assert.deepEqual(after.board?.replaced?.proved, proved);
  });
});
