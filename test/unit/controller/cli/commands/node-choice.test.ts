// Every command that takes nodes chooses them by one rule; the controller says which are meant.
import assert from "node:assert/strict";
import { afterEach, describe, it } from "node:test";
import { shellWord } from "../../../../../controller/cli/commands/node-choice.ts";
import { splitLabelWords } from "../../../../../controller/cli/commands/node-label.ts";
import {
  type LabelNodesRequest,
  Node,
  NodeState,
  type SelectNodesRequest,
} from "../../../../../proto/gen/pallet/v1/controller.ts";
import { run } from "../a-console.ts";
import { type AController, type Answers, answer, startController } from "../a-controller.ts";

const rack = ["pi-2", "pi-10"].map((name, index) =>
  Node.fromPartial({
    ...{ nodeId: `b8:27:eb:00:00:0${index}`, name, accepted: true, lastSeenAt: new Date(0), discoveredAt: new Date(0) },
    labels: [{ key: "rack", value: "a" }],
  }),
);

describe("nodes are chosen", () => {
  let controller: AController | undefined;
  afterEach(async () => {
    await controller?.close();
    controller = undefined;
  });
  const start = async (found: readonly Node[] = rack, more: Answers = {}) => {
    const asked: SelectNodesRequest[] = [];
    controller = await startController({
      selectNodes: answer((request: SelectNodesRequest) => {
        asked.push(request);
        return { nodes: [...found] };
      }),
      ...more,
    });
    return { asked, socket: controller.socket };
  };

  it("by patterns, labels and states, which the controller understands", async () => {
    const { asked, socket } = await start();
    const { code, stdout } = await run(["nodes", "pi-*", "-l", "rack=a", "-l", "!spare", "--failed", "--show-labels"], {
      socket,
    });
    assert.equal(code, 0);
    assert.match(stdout, /^NAME .* LABELS .*\npi-2 .* rack=a .*\npi-10 /);
    assert.deepEqual(asked, [
      {
        selector: {
          ...{ nodes: ["pi-*"], all: false, labelSelector: "rack=a,!spare" },
          states: [NodeState.NODE_STATE_FAILED],
        },
        acceptedOnly: false,
      },
    ]);
  });

  it("and no node is an answer to a question, but no work for a command", async () => {
    const { socket } = await start([]);
    const listed = await run(["node", "list", "-l", "rack in (z)"], { socket });
    const advice = "no node matches -l 'rack in (z)'; see \"controller nodes --show-labels\"\n";
    assert.deepEqual(listed, { code: 0, stdout: "", stderr: advice });
    assert.deepEqual(await run(["node", "accept", "-l", "rack in (z)"], { socket }), {
      ...{ code: 1, stdout: "" },
      stderr: `error: ${advice}`,
    });
  });

  it("never by a controller that would take a label for nothing", async () => {
    controller = await startController({ listNodes: answer(() => ({ nodes: [...rack] })) });
    const { code, stderr, stdout } = await run(["nodes", "--offline"], { socket: controller.socket });
    assert.deepEqual([code, stdout], [1, ""]);
    assert.match(stderr, /the controller is older than this program and knows no patterns, labels and states/);
  });

  for (const [argv, message] of [
    [["nodes", "-l", "rack in a"], /the label selector "rack in a" cannot be read/],
    [["nodes", "--online", "--offline"], /no node is both online and offline/],
    [["node", "accept", "pi-*", "--all"], /name the nodes to accept, or give --all \(not both\)/],
    [["node", "label", "rack=a"], /name the nodes to label/],
    [["node", "label", "pi-1"], /no label is given: give KEY=VALUE to set one, or KEY- to remove one/],
    [["node", "label", "pi-1", "rack=a b"], /"a b" cannot be the value of a label/],
    [["node", "label", "pi-1", "rack=a", "rack-"], /both set and removed/],
  ] as const)
    it(`not by ${argv.join(" ")}: exit code 2, before anybody is asked`, async () => {
      const { code, stderr } = await run(argv, { socket: "/nonexistent/controller.sock" });
      assert.equal(code, 2, stderr);
      assert.match(stderr, message);
    });

  it("for labels too", async () => {
    const asked: LabelNodesRequest[] = [];
    const labelNodes = answer((request: LabelNodesRequest) => {
      asked.push(request);
      return { nodes: [...rack] };
    });
    const { socket } = await start(rack, { labelNodes });
    const { stdout } = await run(["node", "label", "pi-*", "rack=a", "shelf-", "--overwrite"], { socket });
    assert.equal(stdout, "pi-2 has rack=a\npi-10 has rack=a\n");
    assert.deepEqual(asked, [
      {
        selector: { nodes: ["pi-*"], all: false, labelSelector: "", states: [] },
        ...{ set: [{ key: "rack", value: "a" }], remove: ["shelf"], overwrite: true },
      },
    ]);
  });
});

describe("words of node label", () => {
  it("are nodes, labels to set, and keys to remove", () =>
    assert.deepEqual(splitLabelWords(["pi-1", "a=b=c", "x/y-", "e=", "b8-27-eb-00-00-01"]), {
      nodes: ["pi-1", "b8-27-eb-00-00-01"],
      set: [
        { key: "a", value: "b=c" },
        { key: "e", value: "" },
      ],
      remove: ["x/y"],
    }));
});

describe("words in hints", () => {
  for (const [word, shown] of [
    ["rack-1", "rack-1"],
    ["pi-*", "'pi-*'"],
    ["it's", "'it'\\''s'"],
    ["$(reboot)", "'$(reboot)'"],
    ["", "''"],
  ] as const)
    it(`${word} is written ${shown}, as a shell needs it`, () => assert.equal(shellWord(word), shown));
});
