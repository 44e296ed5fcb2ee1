import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Hook } from "../../../../controller/hooks/hook.ts";
import { type HookOccasion, renderHookCall } from "../../../../controller/hooks/render-hook-call.ts";
import { selectHooks } from "../../../../controller/hooks/select-hooks.ts";
import { parseLabelSelector } from "../../../../controller/nodes/parse-label-selector.ts";
import type { NodeId } from "../../../../proto/names/node-id.ts";
import type { ImageDigest } from "../../../../proto/pack/digest.ts";
import { aNode } from "../boot/a-node.ts";

const digest = "d1".repeat(32) as ImageDigest;
const occasion: HookOccasion = {
  when: "after-failed",
  at: Date.UTC(2026, 10, 30, 6, 0, 1),
  node: {
    ...aNode({ name: "pi-1" }),
    labels: { rack: "a" },
    address: "10.0.0.7",
    board: { serial: "10000000abcd" },
    proved: { imageName: "old", imageDigest: digest, kind: "resident" },
  },
  reimage: {
    ...{ id: "5f0c", rolloutId: "r1", imageName: "debian", imageDigest: digest },
    ...{ phase: "failed", verdict: "untouched", failure: { reason: "hook-failed", message: "it said no" } },
  },
};

describe("what a hook is told", () => {
  it("is node and reimage in the shape that the documentation has, under an id of its own", () => {
    const { id, body, ...rest } = renderHookCall({ name: "page" }, occasion);
    assert.equal(id, "5f0c_after-failed_page");
    const { id: nodeId } = occasion.node;
    assert.deepEqual(rest, { hook: "page", when: "after-failed", nodeId, nodeName: "pi-1", rolloutId: "r1" });
    assert.deepEqual(JSON.parse(body), {
      id: "5f0c_after-failed_page",
      type: "after-failed",
      version: 1,
      timestamp: "2026-11-30T06:00:01.000Z",
      data: {
        node: {
          id: nodeId,
          name: "pi-1",
          labels: { rack: "a" },
          address: "10.0.0.7",
          serial: "10000000abcd",
          model: occasion.node.facts?.model || null,
          bootTarget: occasion.node.bootTarget?.kind,
          image: { name: "old", digest },
        },
        reimage: {
          id: "5f0c",
          rollout: "r1",
          image: { name: "debian", digest },
          phase: "failed",
          verdict: "untouched",
          failure: { reason: "hook-failed", message: "it said no" },
        },
      },
    });
    assert.ok(!body.includes("\n"), "a script reads one line");
  });

  it("has another id for the failure of the tasks of a node that was proved after its reimage had failed", () => {
    const failure = { reason: "tool-failed", message: "its task join failed" } as const;
    const ofTasks = { ...occasion.reimage, phase: "proved", verdict: "proved-late", failure } as const;
    const ids = [occasion.reimage, ofTasks].map(
      (reimage) => renderHookCall({ name: "page" }, { ...occasion, reimage }).id,
    );
    assert.deepEqual(ids, ["5f0c_after-failed_page", "5f0c_after-failed-tasks_page"]);
  });

  it("has null for what is not known of a node whose record is gone", () => {
    const node = { id: "02:00:00:00:00:01" as NodeId, name: "pi-1" };
    const { body } = renderHookCall({ name: "page" }, { ...occasion, node });
    const unknown = { labels: {}, address: null, serial: null, model: null, bootTarget: null, image: null };
    assert.deepEqual(JSON.parse(body).data.node, { ...node, ...unknown });
  });
});

describe("the hooks of a moment", () => {
  const hooks = (["", "rack=a", "rack=b", "!rack"] as const).map(
    (selector, index): Hook => ({
      name: `hook-${index}`,
      when: index === 1 ? "after-proved" : "before-reimage",
      labels: parseLabelSelector(selector),
      timeoutMs: 1000,
      action: { kind: "command", command: ["/bin/true"] },
    }),
  );
  for (const [title, when, labels, chosen] of [
    ["every node meets those without labels", "before-reimage", undefined, ["hook-0", "hook-3"]],
    ["others are for the nodes with theirs", "before-reimage", { rack: "b" }, ["hook-0", "hook-2"]],
    ["a moment has its own", "after-proved", { rack: "a" }, ["hook-1"]],
    ["a moment may have none", "after-failed", { rack: "a" }, []],
  ] as const)
    it(title, () => {
      assert.deepEqual(
        selectHooks(hooks, when, labels).map(({ name }) => name),
        chosen,
      );
    });
});
