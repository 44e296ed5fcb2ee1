import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { describeForgetting } from "../../../../controller/nodes/describe-forgetting.ts";
import type { Node } from "../../../../controller/nodes/node.ts";
import { aNode, digest } from "../boot/a-node.ts";

const installed = { imageName: "debian", imageDigest: digest, reimageId: "r", installedAt: "2026-01-01T00:00:00Z" };
const resident = {
  agent: { version: "1", role: "resident", instanceId: "i", port: 7710, installed },
  facts: { root: { source: "/dev/mmcblk0p2", filesystemType: "ext4", disk: "/dev/mmcblk0" } },
} as unknown as Pick<Node, "agent" | "facts">;
const netbooted = {
  agent: { version: "1", role: "netboot", instanceId: "i", port: 7710 },
  facts: { root: { source: "overlay", filesystemType: "overlay", disk: "" } },
} as unknown as Pick<Node, "agent" | "facts">;
const proved = { proved: { imageName: "debian", imageDigest: digest, kind: "resident" } } as const;

describe("what follows from forgetting a node", () => {
  const cases: readonly [string, Node, { online: boolean; hasImage: boolean }, RegExp][] = [
    [
      "that runs its own system, whose image is known",
      aNode({ ...resident, ...proved }),
      { online: true, hasImage: true },
      /^node-1 is online and runs debian\. .*loses its name, acceptance.*registers again within seconds.*restored from its stamp: it goes on booting/,
    ],
    [
      "that runs its own system, whose image is not known",
      aNode({ ...resident, ...proved }),
      { online: true, hasImage: false },
      /debian is not in the catalogue, so its next boot goes to the agent/,
    ],
    [
      "that is off, and has proved what is on its card",
      aNode({ ...resident, ...proved }),
      { online: false, hasImage: true },
      /is not online now and has proved debian.*comes into the agent, and is sent on.*stamp on its card/,
    ],
    [
      "that is off, and whose proof is a weak one",
      aNode({ ...proved, proved: { ...proved.proved, kind: "weak" } }),
      { online: false, hasImage: true },
      /has proved debian.*boots into the agent.*controller boot NODE local --image debian/,
    ],
    [
      "that answers without a resident agent",
      aNode({ ...netbooted, ...proved }),
      { online: true, hasImage: true },
      /is online and has proved debian.*registers again.*is sent on/,
    ],
    [
      "that waits in the agent",
      aNode(netbooted),
      { online: true, hasImage: false },
      /^node-1 is online\. .*next boot goes to the agent$/,
    ],
  ];
  for (const [which, node, circumstances, wanted] of cases) {
    it(`${which} is told`, () => {
      assert.match(describeForgetting(node, circumstances) ?? "", wanted);
    });
  }

  it("that has left the rack, and of which nothing was proved, is nothing", () => {
    for (const node of [aNode(), aNode(netbooted), aNode(resident)])
      assert.equal(describeForgetting(node, { online: false, hasImage: true }), undefined);
  });
});
