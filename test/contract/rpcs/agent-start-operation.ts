// What is tested of AgentService's StartOperation.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { open } from "node:fs/promises";
import type { TestContext } from "node:test";
import { status } from "@grpc/grpc-js";
import { FailureReason } from "../../../proto/gen/pallet/v1/failure.ts";
import { Compression, OperationState } from "../../../proto/gen/pallet/v1/operation.ts";
import { aLoopDevice } from "../../unit/agent/disk/a-loop-device.ts";
import { answer, endsWith } from "../calls.ts";
import type { ServiceChecks } from "./checks.ts";
import {
  aSource,
  endStateOf,
  headOf,
  identify,
  makeExt4,
  mebibyte,
  spec,
  start,
  succeeds,
  unmount,
  wipe,
} from "./operations.ts";
import type { World } from "./world.ts";

const { OPERATION_STATE_RUNNING: Running, OPERATION_STATE_SUCCEEDED: Succeeded } = OperationState;

/** Tests of StartOperation. */
export const agentStartOperationChecks: ServiceChecks = {
  StartOperation: {
    success: {
      "writes an image, verifies it, and finds a changed byte": async ({ agent }, test) => {
        const disk = await aLoopDevice(test, 8);
        const { content, source } = await aSource(test);
        const { path: device } = disk;
        await succeeds(
          agent,
          spec({
            $case: "writeImage",
            value: { device, source, customisation: undefined, full: false, growth: undefined, ids: undefined },
          }),
        );
        assert.ok(content.equals(await headOf(disk, content.length)), "the card holds other bytes");
        await succeeds(agent, spec({ $case: "verifyImage", value: { device, source } }));

        const handle = await open(device, "r+");
        await handle.write(Buffer.from([(content[2 * mebibyte] ?? 0) ^ 1]), 0, 1, 2 * mebibyte);
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
        if (state === Succeeded) return;
        assert.equal(state, OperationState.OPERATION_STATE_FAILED);
        assert.equal(failure?.reason, FailureReason.FAILURE_REASON_UNSUPPORTED, failure?.message);
      },
      "repeated with the same id and spec, it gives the operation that there is": async (world) => {
        const { operation } = world.stalledWrite;
        const again = await start(world.agent, operation.spec ?? identify, operation.operationId);
        assert.deepEqual(again.startedAt, operation.startedAt);
        assert.equal(again.state, Running);
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
        ...(
          [
            ["the image comes without a manifest", { manifest: undefined }, /source.manifest/],
            ["the image is no pack", { compression: Compression.COMPRESSION_NONE }, /source.compression/],
          ] as const
        ).map(([when, changes, says]) => ({
          when,
          reason: "FAILURE_REASON_INVALID" as const,
          says,
          async call({ agent: { client } }: World, test: TestContext) {
            const { source } = await aSource(test);
            const value = { device: "/dev/pallet-none", source: { ...source, ...changes } };
            const wrong = spec({ $case: "verifyImage", value });
            return answer(client, client.startOperation, { operationId: randomUUID(), spec: wrong });
          },
        })),
      ],
      ALREADY_EXISTS: [
        {
          when: "the id belongs to an operation with another spec",
          reason: "FAILURE_REASON_INVALID",
          says: /already exists with another spec/,
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
            return start(
              agent,
              spec({
                $case: "writeImage",
                value: { device, source, customisation: undefined, full: false, growth: undefined, ids: undefined },
              }),
            );
          },
        },
        {
          when: "a label protects the device",
          reason: "FAILURE_REASON_PROTECTED",
          says: /\/dev\/loop\d+ has the label "pallet-keep"/,
          async call({ agent }, test) {
            const { path: device } = await aLoopDevice(test, 8);
            await succeeds(agent, makeExt4(device, "pallet-keep"));
            return start(agent, wipe(device));
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
          answer(client, client.startOperation, request, { deadlineMs: 1500 }),
          status.DEADLINE_EXCEEDED,
        );
        await lsblk.started();
        await late;
        await lsblk.release();
        const operation = await start(world.agent, request.spec, request.operationId);
        assert.equal((await endStateOf(world.agent, operation)).state, Succeeded);
      },
    },
  },
};
