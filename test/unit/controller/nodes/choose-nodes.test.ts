// Which nodes a request means is decided in one place: every door and command that takes names or "all" is held to it.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { chooseNodes, type NodeChoice, problemOfChoice } from "../../../../controller/nodes/choose-nodes.ts";
import { requireNode } from "../../../../controller/nodes/find-node.ts";
import type { Node } from "../../../../controller/nodes/node.ts";
import { rolloutRequestFromWire } from "../../../../controller/rpc/wire/rollout-from-wire.ts";
import { AcceptNodesRequest, RolloutRequest } from "../../../../proto/gen/pallet/v1/controller.ts";
import { run } from "../cli/a-console.ts";
import { createFakeRack } from "../reimage/fakes/fake-rack.ts";
import { ask, serveController } from "../rpc/served-controller.ts";

const choices: readonly (NodeChoice & { readonly problem: ReturnType<typeof problemOfChoice> })[] = [
  { nodes: [], all: false, problem: "neither" },
  { nodes: ["pi-1"], all: true, problem: "both" },
  { nodes: [], all: true, problem: undefined },
  { nodes: ["pi-1"], all: false, problem: undefined },
];
const words = { both: /not both/, neither: /no node is named/ };

const known = ["pi-1", "pi-2"].map(
  (name, index) => ({ id: `b8:27:eb:00:00:0${index + 1}`, name, accepted: index === 0 }) as Node,
);
const nodes = { list: () => known, require: (text: string) => requireNode(known, text) };

/** Everyone who is asked for nodes and returns a Failure. */
const users: Record<string, (choice: NodeChoice) => Promise<unknown>> = {
  "the choice itself": async (choice) => chooseNodes(choice, nodes),
  "a rollout from the wire": async (choice) =>
    rolloutRequestFromWire(RolloutRequest.fromPartial({ nodes: [...choice.nodes], all: choice.all })),
  "the plan of a rollout": async (choice) => {
    const rack = createFakeRack(2);
    rack.unaccept(1);
    return rack.rollouts().plan(choice);
  },
  "the start of a rollout": async (choice) => {
    const rack = createFakeRack(2);
    rack.unaccept(1);
    return rack.rollouts().start(choice);
  },
  "the acceptance of nodes": async ({ nodes: named, all }) => {
    const served = await serveController();
    try {
      const id = "b8:27:eb:00:00:01" as Node["id"];
      served.nodes.discover(id, "10.0.0.1");
      served.nodes.rename(id, "pi-1");
      return await ask(
        served.client,
        served.client.acceptNodes,
        AcceptNodesRequest.fromPartial({ nodes: [...named], all }),
      );
    } finally {
      await served.close();
    }
  },
};

describe("the nodes that a request means", () => {
  for (const { problem, ...choice } of choices) {
    const title = `${choice.nodes.join(", ") || "no name"}${choice.all ? " and all" : ""}: ${problem ?? "fine"}`;
    it(title, () => assert.equal(problemOfChoice(choice), problem));
    for (const [user, take] of Object.entries(users))
      it(`${title}, says ${user}`, async () => {
        if (problem === undefined) await take(choice);
        else await assert.rejects(take(choice), words[problem]);
      });
    if (problem === undefined) continue;
    for (const command of [["node", "accept"], ["reimage"]])
      it(`${title}, says controller ${command.join(" ")}`, async () => {
        const { code, stderr } = await run([...command, ...choice.nodes, ...(choice.all ? ["--all"] : [])]);
        assert.equal(code, 2);
        assert.match(stderr, /name the nodes to (accept|reimage), or give --all \(not both\)/);
      });
  }

  it("are each meant once, by whatever they are named", () => {
    const both = { nodes: ["pi-2", "B8-27-EB-00-00-02", "pi-1"], all: false };
    assert.deepEqual(chooseNodes(both, nodes), [known[1], known[0]]);
  });

  it("are all, or all of a kind", () => {
    assert.deepEqual(chooseNodes({ nodes: [], all: true }, nodes), known);
    assert.deepEqual(
      chooseNodes({ nodes: [], all: true }, nodes, ({ accepted }) => accepted),
      [known[0]],
    );
  });

  it("are named even if they are not of that kind", () =>
    assert.deepEqual(
      chooseNodes({ nodes: ["pi-2"], all: false }, nodes, ({ accepted }) => accepted),
      [known[1]],
    ));

  it("are all known, or none is meant", () =>
    assert.throws(() => chooseNodes({ nodes: ["pi-1", "pi-9"], all: false }, nodes), /there is no node "pi-9"/));
});
