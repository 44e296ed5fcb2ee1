import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { labelCandidates, renderCandidates } from "../../../../../controller/cli/completion/candidates.ts";

const nodes = [{ labels: { rack: "a", spare: "" } }, { labels: { rack: "b" } }, { labels: { rack: "a" } }];

describe("labels that nodes have", () => {
  for (const [typed, values] of [
    ["", ["rack=a", "rack=b", "spare"]],
    ["ra", ["rack=a", "rack=b", "spare"]],
    ["spare,", ["spare,rack=a", "spare,rack=b", "spare,spare"]],
    ["x=1,spare,ra", ["x=1,spare,rack=a", "x=1,spare,rack=b", "x=1,spare,spare"]],
  ] as const)
    it(JSON.stringify(typed), () => {
      assert.deepEqual(
        labelCandidates(nodes, typed).map(({ value }) => value),
        values,
      );
    });

  it("say how many nodes have them", () => {
    assert.deepEqual(renderCandidates(labelCandidates(nodes, "")), [
      "rack=a\t2 nodes",
      "rack=b\t1 node",
      "spare\t1 node",
    ]);
  });
});
