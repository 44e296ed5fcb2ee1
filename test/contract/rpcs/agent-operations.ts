// What is tested of AgentService's RPCs about operations.
import assert from "node:assert/strict";
import { createHash, randomBytes, randomUUID } from "node:crypto";
import { open } from "node:fs/promises";
import type { TestContext } from "node:test";
import { status } from "@grpc/grpc-js";
import { FailureReason } from "../../../proto/gen/pallet/v1/failure.ts";
import {
  Compression,
  FilesystemType,
  type ImageSource,
  type Operation,
  OperationPhase,
  OperationSpec,
  OperationState,
  WipeMethod,
} from "../../../proto/gen/pallet/v1/operation.ts";
import { aLoopDevice, type LoopDevice } from "../../unit/agent/disk/a-loop-device.ts";
import { anImageServer, type Behaviour } from "../../unit/agent/write/an-image-server.ts";
import { answer, collect, endOf, endsWith, firstOf, refusedWith } from "../calls.ts";
import type { ServiceChecks } from "./checks.ts";
import type { AgentInWorld, World } from "./world.ts";

const MIB = 1024 * 1024;
const { OPERATION_STATE_RUNNING: RUNNING, OPERATION_STATE_SUCCEEDED: SUCCEEDED } = OperationState;

function spec(work: OperationSpec["work"]): OperationSpec {
  return OperationSpec.fromPartial({ work });
}

/** Work that this machine has no LED for, and that touches nothing. */
const identify = spec({ $case: "identify", value: { duration: { seconds: 1n, nanos: 0 } } });
const unmount = (device: string): OperationSpec => spec({ $case: "unmount", value: { device } });
const wipe = (device: string): OperationSpec =>
  spec({ $case: "wipe", value: { device, method: WipeMethod.WIPE_METHOD_SIGNATURES } });
const makeExt4 = (device: string): OperationSpec =>
  spec({ $case: "makeFilesystem", value: { device, type: FilesystemType.FILESYSTEM_TYPE_EXT4, label: "contract" } });

/** Content of 4 MiB, served as it is by a server that behaves as told. */
async function aSource(
  test: TestContext,
  behaviour: Behaviour = {},
): Promise<{ content: Buffer; source: ImageSource }> {
  const content = randomBytes(4 * MIB);
  const server = await anImageServer(test, content, () => behaviour);
  const size = BigInt(content.length);
  const source: ImageSource = {
    url: server.url,
    compression: Compression.COMPRESSION_NONE,
    storedBytes: size,
    sizeBytes: size,
    digest: createHash("sha256").update(content).digest("hex"),
    firstPartitionBytes: BigInt(MIB),
  };
  return { content, source };
}

async function start(
  { client }: AgentInWorld,
  work: OperationSpec,
  operationId: string = randomUUID(),
): Promise<Operation> {
  const { operation } = await answer(client, client.startOperation, { operationId, spec: work });
  assert.ok(operation);
  assert.equal(operation.operationId, operationId);
  return operation;
}

/** Every state of the operation until it has ended. */
async function statesOf({ client }: AgentInWorld, { operationId }: Operation): Promise<Operation[]> {
  const responses = await collect(client.watchOperation({ operationId }));
  return responses.flatMap(({ operation }) => operation ?? []);
}

async function endStateOf(agent: AgentInWorld, operation: Operation): Promise<Operation> {
  const last = (await statesOf(agent, operation)).at(-1);
  assert.ok(last);
  return last;
}

async function succeeds(agent: AgentInWorld, work: OperationSpec): Promise<void> {
  const { state, failure } = await endStateOf(agent, await start(agent, work));
  assert.equal(state, SUCCEEDED, failure?.message);
}

/** A write that goes on until it is cancelled: its source sends one MiB and then nothing. */
export async function aStalledWrite(
  { agent }: World,
  test: TestContext,
): Promise<{ operation: Operation; disk: LoopDevice }> {
  const { client } = agent;
  const operationId = `stalled-${randomUUID()}`;
  let cancel = async (): Promise<unknown> => undefined;
  // Hooks run in their order: the operation has to let go of the device before that is detached.
  test.after(() => cancel());
  const disk = await aLoopDevice(test, 8);
  const { source } = await aSource(test, { stallAfterBytes: MIB });
  const work = spec({ $case: "writeImage", value: { device: disk.path, source, customisation: undefined } });
  const operation = await start(agent, work, operationId);
  cancel = () => answer(client, client.cancelOperation, { operationId });
  const stream = client.watchOperation({ operationId });
  await firstOf(stream, (response) => (response.operation?.progress?.read?.done ?? 0n) > 0n);
  stream.cancel();
  return { operation, disk };
}

/** The bytes at the beginning of a device, where its partition table is. */
async function headOf({ path }: LoopDevice, lengthBytes = MIB): Promise<Buffer> {
  const handle = await open(path, "r");
  try {
    return (await handle.read(Buffer.alloc(lengthBytes), 0, lengthBytes, 0)).buffer;
  } finally {
    await handle.close();
  }
}

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
      "repeated with the same id and spec, it gives the operation that there is": async (world, test) => {
        const { operation } = await aStalledWrite(world, test);
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
          async call(world, test) {
            const { disk } = await aStalledWrite(world, test);
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
      "cancelled by fifty watchers, the operation goes on, and another watcher sees it": async (world, test) => {
        const { client } = world.agent;
        const { operation } = await aStalledWrite(world, test);
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
      "past its deadline, the operation goes on": async (world, test) => {
        const { client } = world.agent;
        const { operation } = await aStalledWrite(world, test);
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
        const { operation, disk } = await aStalledWrite(world, test);
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
      "gives those that run and those that ended, oldest first": async (world, test) => {
        const { client } = world.agent;
        const ended = await start(world.agent, identify);
        await endStateOf(world.agent, ended);
        const { operation: running } = await aStalledWrite(world, test);
        const { operations } = await answer(client, client.listOperations, {});
        const listed = operations.map(({ operationId }) => operationId);
        assert.ok(listed.indexOf(ended.operationId) >= 0);
        assert.ok(listed.indexOf(ended.operationId) < listed.indexOf(running.operationId));
        assert.equal(operations.at(-1)?.state, RUNNING);
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
