// Every command that takes nodes chooses them by one rule; the controller says which are meant.
import assert from "node:assert/strict";
import { afterEach, describe, it } from "node:test";
import { status } from "@grpc/grpc-js";
import { splitLabelWords } from "../../../../../controller/cli/commands/node-label.ts";
import { remedyFor } from "../../../../../controller/cli/render/remedy.ts";
import { shellWord } from "../../../../../controller/cli/render/shell-word.ts";
import { Failure } from "../../../../../proto/failure.ts";
import {
  BootTarget,
  type LabelNodesRequest,
  Node,
  NodeState,
  type SelectNodesRequest,
} from "../../../../../proto/gen/pallet/v1/controller.ts";
import { Event } from "../../../../../proto/gen/pallet/v1/event.ts";
import { Operation, OperationState } from "../../../../../proto/gen/pallet/v1/operation.ts";
import { someDisks } from "../a-catalogue.ts";
import { run } from "../a-console.ts";
import { type AController, type Answers, answer, refusal, startController, stream } from "../a-controller.ts";

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

describe("a command for several nodes", () => {
  let controller: AController | undefined;
  const done: unknown[] = [];
  afterEach(async () => {
    await controller?.close();
    controller = undefined;
    done.splice(0);
  });
  const note = (call: string) =>
    answer(({ node }: { readonly node: string }) => {
      done.push([call, node]);
      return {} as never;
    });
  const terminal = { columns: 100, rows: 30 };
  const start = async (more: Answers = {}) => {
    controller = await startController({
      selectNodes: answer(({ acceptedOnly }: SelectNodesRequest) => {
        done.push(["select", acceptedOnly]);
        return { nodes: [...rack] };
      }),
      rebootNode: note("reboot"),
      forgetNode: note("forget"),
      setBootTarget: answer(({ node, bootTarget }) => {
        done.push([bootTarget, node]);
        return { node: rack.find(({ nodeId }) => nodeId === node), warning: "" };
      }),
      listNodeDisks: answer(() => ({ devices: [...someDisks] })),
      runNodeOperation: stream(({ node }) => {
        done.push(["operation", node]);
        return [
          { operation: Operation.fromPartial({ operationId: "o", state: OperationState.OPERATION_STATE_SUCCEEDED }) },
        ];
      }),
      ...more,
    });
    return controller.socket;
  };
  const ids = rack.map(({ nodeId }) => nodeId);

  it("names them and asks, does it to each after a yes, and to none after a no", async () => {
    const socket = await start();
    for (const [argv, verb, call] of [
      [["reboot", "pi-*"], "Reboot", "reboot"],
      [["node", "forget", "--all"], "Forget", "forget"],
      [["boot", "-l", "rack=a", "agent"], "Boot agent next on", BootTarget.BOOT_TARGET_AGENT],
    ] as const) {
      done.splice(0);
      const no = await run(argv, { socket, terminal, input: ["no"] });
      assert.equal(no.code, 1);
      assert.ok(no.stderr.startsWith(`pi-2, pi-10\n${verb} these 2 nodes? Type yes: `), no.stderr);
      assert.match(no.stderr, /Not confirmed; nothing was changed\./);
      assert.equal(done.length, 1);
      assert.equal((await run(argv, { socket, terminal, input: ["yes"] })).code, 0);
      assert.deepEqual(
        done.slice(2),
        ids.map((id) => [call, id]),
      );
      assert.deepEqual(done[0], ["select", call !== "forget"]);
    }
  });

  it("needs --yes where there is nobody to ask, and none for one node that was named", async () => {
    const socket = await start();
    const { code, stderr } = await run(["reboot", "pi-*"], { socket });
    assert.equal(code, 2);
    assert.match(stderr, /this concerns 2 nodes \(pi-2, pi-10\), but there is nobody to confirm it .*: give --yes/);
    assert.equal((await run(["reboot", "pi-*", "--yes"], { socket })).code, 0);
    done.splice(0);
    assert.equal((await run(["reboot", "pi-2"], { socket })).code, 0);
    assert.deepEqual(done, [["reboot", "pi-2"]]);
  });

  it("shows what each disk loses before it asks to wipe them", async () => {
    const socket = await start();
    const wipe = await run(["wipe", "pi-*", "/dev/mmcblk0"], { socket, terminal, input: ["yes"] });
    assert.equal(wipe.code, 0, wipe.stderr);
    for (const name of ["pi-2", "pi-10"])
      assert.match(wipe.stderr, new RegExp(`^/dev/mmcblk0 of ${name}, .*\n  loses `, "m"));
    assert.match(wipe.stderr, /Wipe \/dev\/mmcblk0 of 2 nodes\? Type yes: /);
    assert.match(wipe.stdout, /^wiped \/dev\/mmcblk0 of pi-2$/m);
    assert.match(wipe.stdout, /^wiped \/dev\/mmcblk0 of pi-10$/m);
  });

  it("goes on when one fails, names it, and ends with exit code 1", async () => {
    const failure = new Failure("node-silent", "no agent answers");
    const rebootNode: Answers["rebootNode"] = ({ request }, callback) => {
      if (request.node === ids[0]) callback(refusal(status.UNAVAILABLE, failure));
      else callback(null, {});
    };
    const socket = await start({ rebootNode });
    const { code, stdout, stderr } = await run(["reboot", "pi-*", "--yes"], { socket });
    assert.equal(code, 1);
    assert.equal(stdout, "pi-10 is rebooting\n");
    assert.equal(stderr, "error: pi-2: no agent answers\nfailed on 1 of 2 nodes: pi-2\n");
  });

  it("answers with a list for programs, and with the one value for a node that was named", async () => {
    const socket = await start({ getNode: answer(() => ({ node: rack[0] })) });
    const names = (text: string) => [JSON.parse(text)].flat().map(({ name }: { name: string }) => name);
    for (const [argv, isList] of [
      [["node", "show", "pi-*", "--json"], true],
      [["node", "show", "pi-2", "--json"], false],
      [["disks", "pi-*", "--json"], true],
      [["boot", "pi-*", "local", "--yes", "--json"], true],
      [["boot", ids[0], "local", "--json"], false],
    ] as const) {
      const { stdout } = await run(argv as readonly string[], { socket });
      assert.equal(Array.isArray(JSON.parse(stdout)), isList, argv.join(" "));
      assert.deepEqual(names(stdout), isList ? ["pi-2", "pi-10"] : ["pi-2"]);
    }
  });

  it("events and logs are those of the selected nodes, also from a controller that sends all", async () => {
    const asked: (readonly string[])[] = [];
    const socket = await start({
      streamEvents: stream(({ node, nodeIds }) => {
        asked.push([node, ...nodeIds]);
        return [ids[0], "02:00:00:00:00:09"].map((nodeId, index) => ({
          event: Event.fromPartial({
            id: BigInt(index + 1),
            nodeId: nodeId ?? "",
            message: `about ${nodeId}`,
            time: new Date(0),
          }),
        }));
      }),
    });
    const { stdout } = await run(["events", "pi-*"], { socket });
    assert.match(stdout, /about b8:27:eb:00:00:00\n$/);
    assert.doesNotMatch(stdout, /02:00/);
    assert.match((await run(["events", "--node", "pi-2"], { socket })).stdout, /02:00/);
    assert.deepEqual(asked, [["", ...ids], ["pi-2"]]);
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
  it("are quoted in a command with the controller's own place", async () => {
    const { stderr } = await run(["reboot", "pi-1", "--socket", "/tmp/no such.sock"]);
    assert.match(stderr, /no controller answers at \/tmp\/no such\.sock/);
    assert.equal(remedyFor("mounted", "pi-1", "/dev/a b"), "Unmount it: controller unmount pi-1 '/dev/a b'");
  });

  for (const [word, shown] of [
    ["rack-1", "rack-1"],
    ["pi-*", "'pi-*'"],
    ["it's", "'it'\\''s'"],
    ["$(reboot)", "'$(reboot)'"],
    ["", "''"],
  ] as const)
    it(`${word} is written ${shown}, as a shell needs it`, () => assert.equal(shellWord(word), shown));
});
