// What is tested of AgentService's RPCs about operations that there are.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { status } from "@grpc/grpc-js";
import { FailureReason } from "../../../proto/gen/pallet/v1/failure.ts";
import { OperationPhase, OperationState } from "../../../proto/gen/pallet/v1/operation.ts";
import { aLoopDevice } from "../../unit/agent/disk/a-loop-device.ts";
import { answer, collect, endOf, firstOf, refusedWith } from "../calls.ts";
import type { ServiceChecks } from "./checks.ts";
import { manyLeave } from "./leaving-callers.ts";
import {
  aStalledWrite,
  endStateOf,
  headOf,
  identify,
  makeExt4,
  start,
  statesOf,
  succeeds,
  wipe,
} from "./operations.ts";

const { OPERATION_STATE_RUNNING: Running, OPERATION_STATE_SUCCEEDED: Succeeded } = OperationState;

/** Tests of WatchOperation, CancelOperation and ListOperations. */
export const agentOperationChecks: ServiceChecks = {
  WatchOperation: {
    success: {
      "gives the operation now, its phases, and ends with OK after its end": async ({ agent, tools }, test) => {
        const { path: device } = await aLoopDevice(test, 8);
        const mkfs = await tools.hold("mkfs.ext4");
        test.after(mkfs.release);
        const operation = await start(agent, makeExt4(device));
        const states = statesOf(agent, operation);
        await mkfs.started();
        await mkfs.release();
        const seen = await states;
        assert.equal(seen[0]?.state, Running);
        assert.ok(seen.some(({ progress }) => progress?.phase === OperationPhase.OPERATION_PHASE_FORMATTING));
        assert.equal(seen.at(-1)?.state, Succeeded);
        assert.deepEqual((await statesOf(agent, operation)).length, 1, "an ended operation has one state");
      },
    },
    errors: {
      INVALID_ARGUMENT: [
        {
          when: "the id is malformed",
          reason: "FAILURE_REASON_INVALID",
          says: /operation_id/,
          call: ({ agent: { client } }) => collect(client.watchOperation({ operationId: "no id" })),
        },
      ],
      NOT_FOUND: [
        {
          when: "this instance of the agent does not know the operation",
          reason: "FAILURE_REASON_INVALID",
          says: /nobody-started-it/,
          call: ({ agent: { client } }) => collect(client.watchOperation({ operationId: "nobody-started-it" })),
        },
      ],
    },
    abandoned: {
      "cancelled by fifty watchers, the operation goes on, and another watcher sees it": async (world) => {
        const { client } = world.agent;
        const { operation } = world.stalledWrite;
        await manyLeave(50, () => client.watchOperation(operation));
        const stream = client.watchOperation(operation);
        assert.equal((await firstOf(stream)).operation?.state, Running);
        stream.cancel();
      },
      "past its deadline, the operation goes on": async (world) => {
        const { client } = world.agent;
        const { operation } = world.stalledWrite;
        assert.equal(
          await endOf(client.watchOperation(operation, { deadline: Date.now() + 300 })),
          status.DEADLINE_EXCEEDED,
        );
        const { operations } = await answer(client, client.listOperations, {});
        assert.equal(operations.find((each) => each.operationId === operation.operationId)?.state, Running);
      },
    },
  },

  CancelOperation: {
    success: {
      "stops a write, which leaves the disk without a partition table": async (world, test) => {
        const { agent } = world;
        const { operation, disk } = await aStalledWrite(world.agent, test);
        const { client } = agent;
        const cancelled = (await answer(client, client.cancelOperation, operation)).operation;
        assert.equal(cancelled?.state, OperationState.OPERATION_STATE_CANCELLED);
        assert.equal(cancelled?.failure?.reason, FailureReason.FAILURE_REASON_CANCELLED);
        assert.ok((await headOf(disk)).every((byte) => byte === 0));
        await succeeds(agent, wipe(disk.path));
      },
      "changes nothing of an operation that has ended": async ({ agent }) => {
        const { client } = agent;
        const operation = await start(agent, identify);
        const before = await endStateOf(agent, operation);
        assert.deepEqual((await answer(client, client.cancelOperation, operation)).operation, before);
      },
    },
    errors: {
      INVALID_ARGUMENT: [
        {
          when: "the id is malformed",
          reason: "FAILURE_REASON_INVALID",
          says: /operation_id/,
          call: ({ agent: { client } }) => answer(client, client.cancelOperation, { operationId: "no id" }),
        },
      ],
      NOT_FOUND: [
        {
          when: "this instance of the agent does not know the operation",
          reason: "FAILURE_REASON_INVALID",
          says: /nobody-started-it/,
          call: ({ agent: { client } }) => answer(client, client.cancelOperation, { operationId: "nobody-started-it" }),
        },
      ],
    },
  },

  ListOperations: {
    success: {
      "gives those that run and those that ended, oldest first": async ({ agent, stalledWrite }) => {
        const { client } = agent;
        const ended = await endStateOf(agent, await start(agent, identify));
        const { operations } = await answer(client, client.listOperations, {});
        assert.deepEqual(operations.at(-1), ended);
        const running = operations.find(({ operationId }) => operationId === stalledWrite.operation.operationId);
        assert.equal(running?.state, Running);
        const started = operations.map(({ startedAt }) => startedAt?.getTime() ?? 0);
        assert.deepEqual(
          started,
          started.toSorted((a, b) => a - b),
        );
      },
      "knows nothing of an operation that was refused": async ({ agent }) => {
        const { client } = agent;
        const operationId = randomUUID();
        const refused = answer(client, client.startOperation, { operationId, spec: wipe("/dev/pallet-none") });
        await refusedWith(refused, status.FAILED_PRECONDITION, "FAILURE_REASON_NOT_A_DISK");
        const { operations } = await answer(client, client.listOperations, {});
        assert.ok(operations.every((each) => each.operationId !== operationId));
      },
    },
  },
};
