import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Image } from "../../../../controller/images/catalogue/image.ts";
import { chooseBootTarget, warnOfBootTarget } from "../../../../controller/nodes/choose-boot-target.ts";
import type { Node } from "../../../../controller/nodes/node.ts";
import type { NodeId } from "../../../../proto/names/node-id.ts";
import type { AgentInfo } from "../../../../proto/node/agent-info.ts";
import type { ImageDigest } from "../../../../proto/pack/digest.ts";

const digest = "a".repeat(64) as ImageDigest;
const images = {
  get: async (name: string) => (name === "debian" ? ({ digest } as Image) : undefined),
  getByDigest: async (asked: ImageDigest) => (asked === digest ? ({ digest } as Image) : undefined),
};
const node: Node = {
  id: "b8:27:eb:00:00:01" as NodeId,
  name: "rack1",
  accepted: true,
  bootTarget: { kind: "agent" },
  lastSeenAt: 0,
  discoveredAt: 0,
};
const local = { kind: "local", imageDigest: digest } as const;

describe("chooseBootTarget", () => {
  it("needs no image for the agent", async () => {
    assert.deepEqual(await chooseBootTarget(node, { kind: "agent", imageName: undefined }, images), { kind: "agent" });
  });
  it("takes the named image, or the one that the node proved to run", async () => {
    assert.deepEqual(await chooseBootTarget(node, { kind: "local", imageName: "debian" }, images), local);
    const proved = { ...node, proved: { imageName: "debian", imageDigest: digest, kind: "resident" } } as const;
    assert.deepEqual(await chooseBootTarget(proved, { kind: "local", imageName: undefined }, images), local);
  });
  it("refuses an image that is not there, named or proved", async () => {
    await assert.rejects(chooseBootTarget(node, { kind: "local", imageName: "arch" }, images), { kind: "not-found" });
    const proved = {
      ...node,
      proved: { imageName: "old", imageDigest: "b".repeat(64) as ImageDigest, kind: "resident" },
    } as const;
    await assert.rejects(chooseBootTarget(proved, { kind: "local", imageName: undefined }, images), {
      kind: "not-found",
      message: /old/,
    });
  });
  it("refuses local when nothing is known to be installed", async () => {
    await assert.rejects(chooseBootTarget(node, { kind: "local", imageName: undefined }, images), {
      kind: "precondition",
    });
  });
  it("refuses local onto a card that was erased, unless somebody says that there is a system again", async () => {
    const installation = { imageDigest: digest, reimageId: "r", erased: true };
    for (const erased of [
      { ...node, installation },
      { ...node, bootTarget: local, installation },
    ]) {
      const asked = { kind: "local", imageName: "debian" } as const;
      await assert.rejects(chooseBootTarget(erased, asked, images), {
        kind: "precondition",
        message: /no system of its own.*controller reimage rack1.*--force/,
      });
      assert.deepEqual(await chooseBootTarget(erased, { ...asked, force: true }, images), local);
      assert.deepEqual(await chooseBootTarget(erased, { kind: "agent" }, images), { kind: "agent" });
    }
  });
});

describe("warnOfBootTarget", () => {
  const proved = { imageName: "debian", imageDigest: digest, kind: "resident" } as const;
  const installed = { imageName: "debian", imageDigest: digest, reimageId: "r", installedAt: "" };
  const stranger = { kind: "local", imageDigest: "b".repeat(64) as ImageDigest } as const;
  for (const [title, of, target, warns] of [
    ["of an image that nothing says is there", node, local, true],
    ["of another image than the proved one", { ...node, proved }, stranger, true],
    ["not of the proved one", { ...node, proved }, local, false],
    ["not of what a reimage wrote", { ...node, installation: { imageDigest: digest, reimageId: "r" } }, local, false],
    ["not of what its system says it is", { ...node, agent: { installed } as unknown as AgentInfo }, local, false],
    ["not of the agent", node, { kind: "agent" }, false],
  ] as const)
    it(title, () => assert.equal(warnOfBootTarget(of, target) !== undefined, warns));
});
