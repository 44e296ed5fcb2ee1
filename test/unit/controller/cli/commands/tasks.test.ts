import assert from "node:assert/strict";
import { afterEach, describe, it } from "node:test";
import { status } from "@grpc/grpc-js";
import { Failure } from "../../../../../proto/failure.ts";
import type { Node } from "../../../../../proto/gen/pallet/v1/controller.ts";
import { TaskState } from "../../../../../proto/gen/pallet/v1/node.ts";
import { ConfigurationState, type Reimage, RolloutState } from "../../../../../proto/gen/pallet/v1/rollout.ts";
import { assertGolden } from "../../../../golden.ts";
import { freshNode, installedNode, knownNode } from "../a-catalogue.ts";
import { run } from "../a-console.ts";
import { type AController, type Answers, answer, refusal, startController, stream } from "../a-controller.ts";
import { aProof, aRollout } from "../a-rollout.ts";

const { TASK_STATE_SUCCEEDED, TASK_STATE_FAILED, TASK_STATE_WAITING } = TaskState;
const task = { starts: 1, startedAt: undefined, endedAt: undefined, exitCode: undefined, problem: "", output: "" };
const withTasks = (node: Node): Node => ({
  ...node,
  agent: node.agent && {
    ...node.agent,
    tasks: {
      ...{ configDigest: "ab".repeat(32), problem: "" },
      tasks: [
        { ...task, name: "update", state: TASK_STATE_SUCCEEDED, exitCode: 0, starts: 2 },
        {
          ...task,
          name: "join",
          state: TASK_STATE_FAILED,
          exitCode: 7,
          problem: "exit code 7",
          output: "one\n\u001b[2Jtwo",
        },
        { ...task, name: "label", state: TASK_STATE_WAITING, starts: 0 },
      ],
    },
  },
});

describe("controller tasks", () => {
  let controller: AController | undefined;
  afterEach(() => controller?.close());
  const start = async (answers: Answers): Promise<string> => {
    controller = await startController(answers);
    return controller.socket;
  };

  it("list shows each task of each node, and what a failed one wrote last, harmlessly", async () => {
    const socket = await start({ listNodes: answer(() => ({ nodes: [withTasks(installedNode), freshNode] })) });
    const { code, stdout } = await run(["tasks", "list"], { socket });
    assert.equal(code, 0);
    assertGolden("cli/tasks-list", stdout);
    const json = await run(["tasks", "list", "--json"], { socket });
    const [known, fresh] = JSON.parse(json.stdout) as { tasks: { tasks: { name: string }[] } | null }[];
    assert.deepEqual(
      known?.tasks?.tasks.map(({ name }) => name),
      ["update", "join", "label"],
    );
    assert.equal(fresh?.tasks, null);
  });

  it("list says so when there are none", async () => {
    const socket = await start({ listNodes: answer(() => ({ nodes: [freshNode, knownNode] })) });
    assert.match((await run(["tasks", "list"], { socket })).stdout, /^No node runs a system with first-boot tasks/);
  });

  it("retry asks for each node, and says why one was refused", async () => {
    const asked: string[] = [];
    const socket = await start({
      retryTasks: ({ request }, callback) => {
        asked.push(request.node);
        if (request.node === "rack-1") callback(null, {});
        else callback(refusal(status.FAILED_PRECONDITION, new Failure("invalid", "no task of this system has failed")));
      },
    });
    const one = await run(["tasks", "retry", "rack-1"], { socket });
    assert.deepEqual([one.code, asked], [0, ["rack-1"]]);
    assert.match(one.stdout, /rack-1 tries its failed tasks again/);
    const other = await run(["tasks", "retry", "rack-2"], { socket });
    assert.equal(other.code, 1);
    assert.match(other.stderr, /no task of this system has failed/);
  });

  it("retry takes two hundred by their state, and names them not again", async () => {
    const nodes = Array.from({ length: 200 }, (_, at) => ({ ...installedNode, nodeId: `id-${at}`, name: `pi-${at}` }));
    const asked = new Set<string>();
    const socket = await start({
      selectNodes: answer(() => ({ nodes })),
      retryTasks: answer(({ node }) => {
        asked.add(node);
        return {};
      }),
    });
    const terminal = { columns: 100, rows: 40 };
    const { code, stdout, stderr } = await run(["tasks", "retry", "--failed"], { socket, terminal });
    assert.deepEqual([code, asked.size], [0, 200]);
    assert.match(`${stdout}${stderr}`, /see how far they are: \S*controller tasks list\n/);
  });

  for (const [state, waitFor, code] of [
    ["CONFIGURATION_STATE_RUNNING", "proved", 0],
    ["CONFIGURATION_STATE_FAILED", "proved", 0],
    ["CONFIGURATION_STATE_FAILED", "configured", 1],
    ["CONFIGURATION_STATE_FAILED", undefined, 1],
    ["CONFIGURATION_STATE_CONFIGURED", undefined, 0],
  ] as const) {
    it(`watch of a rollout whose tasks are ${state} waits for ${waitFor ?? "all"}, and ends with ${code}`, async () => {
      const configuration = {
        state: ConfigurationState[state],
        tasks: 1,
        succeeded: 0,
        task: "join",
      } as Reimage["configuration"];
      const ends = {
        CONFIGURATION_STATE_RUNNING: RolloutState.ROLLOUT_STATE_RUNNING,
        CONFIGURATION_STATE_FAILED: RolloutState.ROLLOUT_STATE_FAILED,
        CONFIGURATION_STATE_CONFIGURED: RolloutState.ROLLOUT_STATE_SUCCEEDED,
      };
      const rollout = aRollout([{ ...aProof("rack-1"), configuration }], { state: ends[state] });
      const socket = await start({ watchRollout: stream(() => [{ rollout }]) });
      const found = await run(["watch", "r-1", ...(waitFor === undefined ? [] : ["--wait", waitFor])], { socket });
      assert.equal(found.code, code, found.stderr);
    });
  }
});
