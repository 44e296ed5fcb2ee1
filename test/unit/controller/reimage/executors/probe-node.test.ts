import assert from "node:assert/strict";
import { test } from "node:test";
import type { Node } from "../../../../../controller/nodes/node.ts";
import type { ExecutorContext } from "../../../../../controller/reimage/executors/executor.ts";
import { probeNode } from "../../../../../controller/reimage/executors/probe-node.ts";
import { phases, queued } from "../fakes/sample-states.ts";

const kernelFetchedAt = 5000;

/** The addresses that are probed for this node, and the one that answered. */
async function probe(node: Partial<Node>, answering: string) {
  const probed: string[] = [];
  let answered: string | undefined;
  const context = {
    state: { ...queued, phase: { ...phases.proving, kernelFetchedAt } },
    world: {
      nodes: { get: () => node },
      async probeNode({ address }: { address: string }) {
        probed.push(address);
        return address === answering ? `${address} is open` : undefined;
      },
    },
    signal: new AbortController().signal,
    answer: (answer: { how?: string }) => {
      answered = answer.how;
    },
  } as unknown as ExecutorContext;
  await probeNode({ type: "probe-node" }, context);
  return { probed, answered };
}

const facts = { bootId: "boot-1" } as Node["facts"] & object;

test("a node is looked for where it was seen booting, and then where its agent was", async () => {
  const node = { address: "10.0.0.7", bootAddress: "10.0.0.99" };
  assert.deepEqual(await probe(node, "10.0.0.99"), { probed: ["10.0.0.99"], answered: "10.0.0.99 is open" });
  const both = ["10.0.0.99", "10.0.0.7"];
  assert.deepEqual(await probe(node, "10.0.0.7"), { probed: both, answered: "10.0.0.7 is open" });
  assert.deepEqual(await probe(node, "nobody"), { probed: both, answered: undefined });
  assert.deepEqual(await probe({ address: "10.0.0.7" }, "nobody"), { probed: ["10.0.0.7"], answered: undefined });
  assert.deepEqual(await probe({}, "nobody"), { probed: [], answered: undefined });
});

test("while the agent of the boot that is to end still reports, its answer proves nothing", async () => {
  const node = { address: "10.0.0.7", facts, agentSeenAt: kernelFetchedAt + 1 };
  assert.deepEqual(await probe(node, "10.0.0.7"), { probed: [], answered: undefined });
  for (const other of [
    { ...node, agentSeenAt: kernelFetchedAt },
    { ...node, facts: { ...facts, bootId: "boot-2" } },
  ])
    assert.equal((await probe(other, "10.0.0.7")).answered, "10.0.0.7 is open");
});
