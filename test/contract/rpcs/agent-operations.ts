// What is tested of AgentService's RPCs about operations.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { open } from "node:fs/promises";
import { status } from "@grpc/grpc-js";
import { FailureReason } from "../../../proto/gen/pallet/v1/failure.ts";
import { OperationPhase, OperationState } from "../../../proto/gen/pallet/v1/operation.ts";
import { aLoopDevice } from "../../unit/agent/disk/a-loop-device.ts";
import { answer, collect, endOf, endsWith, firstOf, refusedWith } from "../calls.ts";
import type { ServiceChecks } from "./checks.ts";
import {
  aSource,
  aStalledWrite,
  endStateOf,
  headOf,
  identify,
  MIB,
  makeExt4,
  spec,
  start,
  statesOf,
  succeeds,
  unmount,
  wipe,
} from "./operations.ts";
import type { World } from "./world.ts";

const { OPERATION_STATE_RUNNING: RUNNING, OPERATION_STATE_SUCCEEDED: SUCCEEDED } = OperationState;

/** Tests of StartOperation, WatchOperation, CancelOperation and ListOperations. */
export const agentOperationChecks: ServiceChecks = {
  StartOperation: {
    success: {
      "writes an image, verifies it, and finds a changed byte": async ({ agent }, test) => {
        const disk = await aLoopDevice(test, 8);
        const { content, source } = await aSource(test);
        const { path: device } = disk;
        await succeeds(agent, spec({ $case: "writeImage", value: { device, source, customisation: undefined } }));
        assert.ok(content.equals(await headOf(disk, content.length)), "the card holds other bytes");
        await succeeds(agent, spec({ $case: "verifyImage", value: { device, source } }));

        const handle = await open(device, "r+");
        await handle.write(Buffer.from([(content[2 * MIB] ?? 0) ^ 1]), 0, 1, 2 * MIB);
        await handle.sync();
        await handle.close();
        const found = await start(agent, spec({ $case: "verifyImage", value: { device, source } }));
        const { state, failure } = await endStateOf(agent, found);
        assert.equal(state, OperationState.OPERATION_STATE_FAILED);
        assert.equal(failure?.reason, FailureReason.FAILURE_REASON_VERIFY_MISMATCH, failure?.message);
        assert.equal(failure?.range?.device, device);
      },
      "makes a filesystem, unmounts what is not mounted, wipes": async ({ agent }, test) => {
        const { path: device } = await aLoopDevice(test, 8);
        const filesystem = async () => {
          const { devices } = await answer(agent.client, agent.client.listBlockDevices, {});
          const found = devices.find(({ path }) => path === device);
          return [found?.filesystemType, found?.label];
        };
        await succeeds(agent, makeExt4(device));
        assert.deepEqual(await filesystem(), ["ext4", "contract"]);
        await succeeds(agent, unmount(device));
        await succeeds(agent, wipe(device));
        assert.deepEqual(await filesystem(), ["", ""]);
      },
      "blinks the LED, or says that the node has none": async ({ agent }) => {
        const { state, failure } = await endStateOf(agent, await start(agent, identify));
        if (state === SUCCEEDED) return;
        assert.equal(state, OperationState.OPERATION_STATE_FAILED);
        assert.equal(failure?.reason, FailureReason.FAILURE_REASON_UNSUPPORTED, failure?.message);
      },
      "repeated with the same id and spec, it gives the operation that there is": async (world) => {
        const { operation } = world.stalledWrite;
        const again = await start(world.agent, operation.spec ?? identify, operation.operationId);
        assert.deepEqual(again.startedAt, operation.startedAt);
        assert.equal(again.state, RUNNING);
      },
    },
    errors: {
      INVALID_ARGUMENT: [
        ...["", "with space", "x".repeat(65), "../up"].map((operationId) => ({
          when: `the id is ${JSON.stringify(operationId)}`,
          reason: "FAILURE_REASON_INVALID" as const,
          says: /operation_id/,
          call: ({ agent: { client } }: World) =>
            answer(client, client.startOperation, { operationId, spec: identify }),
        })),
        ...(
          [
            ["no spec is given", undefined, /spec/],
            ["the spec names no work", { work: undefined }, /work/],
            ["no device is named", wipe(""), /device/],
            [
              "the LED is to blink for ever",
              { work: { $case: "identify", value: { duration: undefined } } },
              /duration/,
            ],
          ] as const
        ).map(([when, wrong, says]) => ({
          when,
          reason: "FAILURE_REASON_INVALID" as const,
          says,
          call: ({ agent: { client } }: World) =>
            answer(client, client.startOperation, { operationId: randomUUID(), spec: wrong }),
        })),
      ],
      ALREADY_EXISTS: [
        {
          when: "the id belongs to an operation with another spec",
          reason: "FAILURE_REASON_INVALID",
          says: /exists already with another spec/,
          async call({ agent }) {
            const { operationId } = await start(agent, identify);
            return start(agent, unmount("/dev/pallet-none"), operationId);
          },
        },
      ],
      FAILED_PRECONDITION: [
        {
          when: "the guard knows no such device",
          reason: "FAILURE_REASON_NOT_A_DISK",
          says: /\/dev\/pallet-none/,
          call: ({ agent }) => start(agent, wipe("/dev/pallet-none")),
        },
        {
          when: "the device is smaller than the image",
          reason: "FAILURE_REASON_TOO_SMALL",
          says: /\/dev\/loop\d+/,
          async call({ agent }, test) {
            const { path: device } = await aLoopDevice(test, 2);
            const { source } = await aSource(test);
            return start(agent, spec({ $case: "writeImage", value: { device, source, customisation: undefined } }));
          },
        },
        {
          when: "the role may not do it",
          reason: "FAILURE_REASON_UNSUPPORTED",
          says: /boot target/,
          call: ({ resident }) => start(resident, wipe("/dev/pallet-none")),
        },
        {
          when: "the node is about to reboot",
          reason: "FAILURE_REASON_IN_USE",
          says: /about to reboot/,
          async call({ resident }) {
            const { client } = resident;
            const { facts } = await answer(client, client.getNode, {});
            await answer(client, client.reboot, { expectedBootId: facts?.bootId ?? "" });
            return start(resident, identify);
          },
        },
      ],
      RESOURCE_EXHAUSTED: [
        {
          when: "another operation owns the device",
          reason: "FAILURE_REASON_DEVICE_BUSY",
          says: /stalled-/,
          async call(world) {
            const { disk } = world.stalledWrite;
            return start(world.agent, wipe(disk.path));
          },
        },
      ],
      INTERNAL: [
        {
          when: "the devices cannot be read",
          reason: "FAILURE_REASON_TOOL_FAILED",
          says: /lsblk/,
          async call({ agent, tools }) {
            const mend = await tools.breakDown("lsblk");
            return start(agent, wipe("/dev/pallet-none")).finally(mend);
          },
        },
      ],
    },
    abandoned: {
      "past its deadline, the work starts all the same, and asking again gives that operation": async (world, test) => {
        const { client } = world.agent;
        const { path: device } = await aLoopDevice(test, 8);
        const lsblk = await world.tools.hold("lsblk");
        test.after(lsblk.release);
        const request = { operationId: randomUUID(), spec: makeExt4(device) };
        const late = endsWith(
          answer(client, client.startOperation, request, { deadlineMs: 1000 }),
          status.DEADLINE_EXCEEDED,
        );
        await lsblk.started();
        await late;
        await lsblk.release();
        const operation = await start(world.agent, request.spec, request.operationId);
        assert.equal((await endStateOf(world.agent, operation)).state, SUCCEEDED);
      },
    },
  },

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
        assert.equal(seen[0]?.state, RUNNING);
        assert.ok(seen.some(({ progress }) => progress?.phase === OperationPhase.OPERATION_PHASE_FORMATTING));
        assert.equal(seen.at(-1)?.state, SUCCEEDED);
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
        await Promise.all(
          Array.from({ length: 50 }, async () => {
            const stream = client.watchOperation(operation);
            const end = endOf(stream);
            await firstOf(stream);
            stream.cancel();
            assert.equal(await end, status.CANCELLED);
          }),
        );
        const stream = client.watchOperation(operation);
        assert.equal((await firstOf(stream)).operation?.state, RUNNING);
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
        assert.equal(operations.find((each) => each.operationId === operation.operationId)?.state, RUNNING);
      },
    },
  },

  CancelOperation: {
    success: {
      "stops a write, which leaves the disk without a partition table": async (world, test) => {
        const { agent } = world;
        const { operation, disk } = await aStalledWrite(world.agent, test);
        const { client } = agent;
        const startedAt = Date.now();
        const cancelled = (await answer(client, client.cancelOperation, operation)).operation;
        assert.ok(Date.now() - startedAt < 5000, "it took too long");
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
        assert.equal(running?.state, RUNNING);
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
