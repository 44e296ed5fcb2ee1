// What is tested of ControllerService's RPCs that the controller has a node's agent do.
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { rm } from "node:fs/promises";
import { type CallOptions, Metadata, status } from "@grpc/grpc-js";
import type { RunNodeOperationRequest } from "../../../proto/gen/pallet/v1/controller.ts";
import { OperationSpec, OperationState } from "../../../proto/gen/pallet/v1/operation.ts";
import { aLoopDevice } from "../../unit/agent/disk/a-loop-device.ts";
import { until } from "../../until.ts";
import { answer, collect, endOf, endsWith, firstOf } from "../calls.ts";
import type { Check, Refusal, ServiceChecks } from "./checks.ts";
import { unknownNode, whilePending, whileReimaged } from "./controller-nodes.ts";
import { isRetried, withoutPlaceForWord, withTask } from "./failed-tasks.ts";
import { leavesDuringLsblk } from "./leaving-callers.ts";
import { makeExt4, wipe } from "./operations.ts";
import { aMuteServer, aNode, isAlive, socketsOf, type World } from "./world.ts";

const { OPERATION_STATE_RUNNING: Running, OPERATION_STATE_SUCCEEDED: Succeeded } = OperationState;

const listDisks = ({ controller }: World, node: string) => answer(controller, controller.listNodeDisks, { node });
const reboot = ({ controller }: World, node: string) => answer(controller, controller.rebootNode, { node });
const run = ({ controller }: World, node: string, spec: RunNodeOperationRequest["spec"]) =>
  collect(controller.runNodeOperation({ node, spec }));

/** The refusal of a RPC that an agent is needed for. */
function noAgent(call: (world: World, node: string) => Promise<unknown>): Refusal {
  return {
    when: "no agent answers",
    reason: "FAILURE_REASON_NODE_SILENT",
    says: /agent at 127\.0\.0\.1:1 did not get through/,
    call: async (world) => call(world, (await aNode(world)).name),
  };
}

/** A call that waits for an agent that never answers ends with its caller, and so does the controller's own. */
function endsWithItsCaller(call: (world: World, node: string, options: object) => Promise<unknown>): Check {
  return async (world, test) => {
    const { port, connections } = await aMuteServer(test);
    const { name } = await aNode(world, { agentPort: port });
    for (const how of ["cancel", "deadline"] as const) {
      const abort = new AbortController();
      const code = how === "cancel" ? status.CANCELLED : status.DEADLINE_EXCEEDED;
      const ended = endsWith(
        call(world, name, how === "cancel" ? { signal: abort.signal } : { deadlineMs: 1500 }),
        code,
      );
      await until(() => connections.size > 0, "the controller asked no agent");
      abort.abort();
      await ended;
      await until(() => connections.size === 0, `the controller still asks the agent after the ${how}`);
    }
    await answer(world.controller, world.controller.getStatus, {});
  };
}

/** Starts mkfs on the real agent's node, abandons the stream as told while it runs, and sees it succeed. */
async function abandonOperation(world: World, device: string, how: "cancel" | "deadline"): Promise<void> {
  const { controller, controllerProgram, agent, agentNode, tools } = world;
  const mkfs = await tools.hold("mkfs.ext4");
  try {
    const before = await socketsOf(controllerProgram);
    const options: Partial<CallOptions> = how === "deadline" ? { deadline: Date.now() + 3000 } : {};
    const request = { node: agentNode.name, spec: makeExt4(device) };
    const stream = controller.runNodeOperation(request, new Metadata(), options);
    const end = endOf(stream);
    const { operation } = await firstOf(stream);
    const pid = await mkfs.started();
    if (how === "cancel") stream.cancel();
    assert.equal(await end, how === "cancel" ? status.CANCELLED : status.DEADLINE_EXCEEDED);
    await until(async () => (await socketsOf(controllerProgram)) <= before, "the controller still holds a connection");
    assert.ok(isAlive(pid), "mkfs was ended with the stream");
    const { operations } = await answer(agent.client, agent.client.listOperations, {});
    assert.equal(operations.find(({ operationId }) => operationId === operation?.operationId)?.state, Running);
    await mkfs.release();
    const states = await collect(agent.client.watchOperation({ operationId: operation?.operationId ?? "" }));
    assert.equal(states.at(-1)?.operation?.state, Succeeded);
  } finally {
    await mkfs.release();
  }
}

const retryTasks = ({ controller }: World, node: string) => answer(controller, controller.retryTasks, { node });
/** A node of the resident agent that runs, of which the controller knows that its system has tasks. */
const nodeWithTasks = async (world: World) => (await aNode(world, { agent: world.resident, hasTasks: true })).name;

/** Tests of ListNodeDisks, RunNodeOperation, RebootNode and RetryTasks. */
export const controllerAgentChecks: ServiceChecks = {
  ListNodeDisks: {
    success: {
      "gives what the node's agent sees": async (world, test) => {
        const disk = await aLoopDevice(test, 8);
        const { devices } = await listDisks(world, world.agentNode.name);
        const found = devices.find(({ path }) => path === disk.path);
        assert.equal(found?.sizeBytes, BigInt(disk.sizeBytes));
        const { client } = world.agent;
        const byAgent = (await answer(client, client.listBlockDevices, {})).devices;
        assert.deepEqual(
          found,
          byAgent.find(({ path }) => path === disk.path),
        );
      },
    },
    errors: {
      NOT_FOUND: [unknownNode(listDisks)],
      UNAVAILABLE: [noAgent(listDisks)],
      INTERNAL: [
        {
          when: "the agent cannot read them",
          reason: "FAILURE_REASON_TOOL_FAILED",
          says: /lsblk/,
          async call(world) {
            const mend = await world.tools.breakDown("lsblk");
            return listDisks(world, world.agentNode.name).finally(mend);
          },
        },
      ],
    },
    abandoned: {
      "cancelled, it ends the controller's call, and lsblk on the node": async (world) => {
        const { controller, agentNode, tools } = world;
        const request = { node: agentNode.name };
        await leavesDuringLsblk(tools, "cancel", (options) =>
          answer(controller, controller.listNodeDisks, request, options),
        );
      },
      "cancelled or past its deadline, it asks an agent that does not answer no longer": endsWithItsCaller(
        ({ controller }, node, options) => answer(controller, controller.listNodeDisks, { node }, options),
      ),
    },
  },

  GetBoardReport: {
    success: {
      "gives what the node's agent tells of its board": async ({ controller, agentNode }) => {
        const { items, itemsMissing } = await answer(controller, controller.getBoardReport, { node: agentNode.name });
        assert.equal(itemsMissing, "");
        assert.ok(items.some(({ name }) => name === "/proc/version"));
      },
      "gives the requests alone, and says why, when no agent answers": async (world) => {
        const node = await aNode(world);
        const report = await answer(world.controller, world.controller.getBoardReport, { node: node.name });
        assert.deepEqual(report.items, []);
        assert.match(report.itemsMissing, /agent/);
      },
    },
    errors: {
      NOT_FOUND: [unknownNode((world, node) => answer(world.controller, world.controller.getBoardReport, { node }))],
    },
  },

  RunNodeOperation: {
    success: {
      "has the agent make a filesystem, and gives its states until it has ended": async (world, test) => {
        const { path: device } = await aLoopDevice(test, 8);
        const responses = await run(world, world.agentNode.name, makeExt4(device));
        const operations = responses.flatMap(({ operation }) => operation ?? []);
        assert.equal(operations[0]?.state, Running);
        assert.equal(operations.at(-1)?.state, Succeeded, operations.at(-1)?.failure?.message);
        assert.deepEqual(operations.at(-1)?.spec, makeExt4(device));
        const { devices } = await listDisks(world, world.agentNode.name);
        assert.equal(devices.find(({ path }) => path === device)?.filesystemType, "ext4");
      },
    },
    errors: {
      NOT_FOUND: [unknownNode((world, node) => run(world, node, wipe("/dev/pallet-none")))],
      INVALID_ARGUMENT: (
        [
          ["no work is given", undefined, /spec/],
          ["the device is no path", wipe("mmcblk0"), /\/dev\/mmcblk0/],
          [
            "it would write an image",
            OperationSpec.fromPartial({ work: { $case: "writeImage", value: { device: "/dev/pallet-none" } } }),
            /reimage/,
          ],
        ] as const
      ).map(
        ([when, spec, says]): Refusal => ({
          when,
          reason: "FAILURE_REASON_INVALID",
          says,
          call: (world) => run(world, world.agentNode.name, spec),
        }),
      ),
      FAILED_PRECONDITION: [
        whileReimaged((world, node) => run(world, node, wipe("/dev/pallet-none"))),
        whilePending((world, node) => run(world, node, wipe("/dev/pallet-none"))),
        {
          when: "the agent's guard refuses the device",
          reason: "FAILURE_REASON_NOT_A_DISK",
          says: /\/dev\/pallet-none/,
          call: (world) => run(world, world.agentNode.name, wipe("/dev/pallet-none")),
        },
        {
          when: "a label protects the device",
          reason: "FAILURE_REASON_PROTECTED",
          says: /\/dev\/loop\d+ has the label "pallet-keep"/,
          async call(world, test) {
            const { path: device } = await aLoopDevice(test, 8);
            await run(world, world.agentNode.name, makeExt4(device, "pallet-keep"));
            return run(world, world.agentNode.name, makeExt4(device));
          },
        },
        {
          when: "another operation owns the device",
          reason: "FAILURE_REASON_DEVICE_BUSY",
          says: /stalled-/,
          call: (world) => run(world, world.agentNode.name, wipe(world.stalledWrite.disk.path)),
        },
      ],
      UNAVAILABLE: [noAgent((world, node) => run(world, node, wipe("/dev/pallet-none")))],
    },
    abandoned: {
      "cancelled, the operation goes on, and the controller lets go of the agent": async (world, test) =>
        abandonOperation(world, (await aLoopDevice(test, 8)).path, "cancel"),
      "past its deadline, the operation goes on, and the controller lets go of the agent": async (world, test) =>
        abandonOperation(world, (await aLoopDevice(test, 8)).path, "deadline"),
    },
  },

  RebootNode: {
    success: {
      "has the agent reboot its node": async (world) => {
        await rm(world.rebootMark, { force: true });
        const { name } = await aNode(world, { agent: world.resident });
        await reboot(world, name);
        await until(() => existsSync(world.rebootMark), "the program that reboots was not run");
      },
    },
    errors: {
      NOT_FOUND: [unknownNode(reboot)],
      FAILED_PRECONDITION: [
        whileReimaged(reboot),
        whilePending(reboot),
        {
          when: "the agent refuses because an operation that writes is running",
          reason: "FAILURE_REASON_DEVICE_BUSY",
          says: /stalled-/,
          call: (world) => reboot(world, world.agentNode.name),
        },
      ],
      UNAVAILABLE: [noAgent(reboot)],
      INTERNAL: [
        {
          when: "the agent finds no way to reboot",
          reason: "FAILURE_REASON_INTERNAL",
          says: /--reboot-command/,
          call: async (world) => reboot(world, (await aNode(world, { agent: world.stuck })).name),
        },
      ],
    },
    abandoned: {
      "cancelled or past its deadline, it asks an agent that does not answer no longer": endsWithItsCaller(
        ({ controller }, node, options) => answer(controller, controller.rebootNode, { node }, options),
      ),
    },
  },

  RetryTasks: {
    success: {
      "has the agent try the failed tasks of its system again": async (world) => {
        await withTask(world, "failed");
        await retryTasks(world, await nodeWithTasks(world));
        await until(() => isRetried(world), "the task was not tried again");
      },
    },
    errors: {
      NOT_FOUND: [unknownNode(retryTasks)],
      FAILED_PRECONDITION: [
        whilePending(retryTasks),
        {
          when: "the node runs no system with tasks",
          reason: "FAILURE_REASON_INVALID",
          says: /is in the agent/,
          call: async (world) => retryTasks(world, (await aNode(world)).name),
        },
        {
          when: "no task has failed",
          reason: "FAILURE_REASON_INVALID",
          says: /no task of this system has failed/,
          async call(world) {
            await withTask(world, "succeeded");
            return retryTasks(world, await nodeWithTasks(world));
          },
        },
      ],
      UNAVAILABLE: [
        {
          when: "no agent answers",
          reason: "FAILURE_REASON_NODE_SILENT",
          says: /agent at 127\.0\.0\.1:1 did not get through/,
          call: async (world) => retryTasks(world, (await aNode(world, { hasTasks: true })).name),
        },
      ],
      INTERNAL: [
        {
          when: "the agent cannot tell what runs them",
          reason: "FAILURE_REASON_INTERNAL",
          says: /run\/pallet/,
          async call(world) {
            await withTask(world, "failed");
            await withoutPlaceForWord(world);
            return retryTasks(world, await nodeWithTasks(world));
          },
        },
      ],
    },
  },
};
