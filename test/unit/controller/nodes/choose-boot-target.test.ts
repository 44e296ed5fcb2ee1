import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Image } from "../../../../controller/images/catalogue/image.ts";
import { chooseBootTarget } from "../../../../controller/nodes/choose-boot-target.ts";
import type { Node } from "../../../../controller/nodes/node.ts";
import type { NodeId } from "../../../../proto/names/node-id.ts";
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
    assert.deepEqual(await chooseBootTarget(node, "agent", undefined, images), { kind: "agent" });
  });
  it("takes the named image, or the one that the node proved to run", async () => {
    assert.deepEqual(await chooseBootTarget(node, "local", "debian", images), local);
    const proved = { ...node, proved: { imageName: "debian", imageDigest: digest, kind: "resident" } } as const;
    assert.deepEqual(await chooseBootTarget(proved, "local", undefined, images), local);
  });
  it("refuses an image that is not there, named or proved", async () => {
    await assert.rejects(chooseBootTarget(node, "local", "arch", images), { kind: "not-found" });
    const proved = {
      ...node,
      proved: { imageName: "old", imageDigest: "b".repeat(64) as ImageDigest, kind: "resident" },
    } as const;
    await assert.rejects(chooseBootTarget(proved, "local", undefined, images), { kind: "not-found", message: /old/ });
  });
  it("refuses local when nothing is known to be installed", async () => {
    await assert.rejects(chooseBootTarget(node, "local", undefined, images), { kind: "precondition" });
  });
});
