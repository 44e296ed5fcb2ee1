// Operations of agents, for the tests to start.
import assert from "node:assert/strict";
import { randomBytes, randomUUID } from "node:crypto";
import { open } from "node:fs/promises";
import type { TestContext } from "node:test";
import {
  Compression,
  FilesystemType,
  type ImageSource,
  type Operation,
  OperationSpec,
  OperationState,
  WipeMethod,
} from "../../../proto/gen/pallet/v1/operation.ts";
import { aLoopDevice, type LoopDevice } from "../../unit/agent/disk/a-loop-device.ts";
import { anImageServer, type Behaviour } from "../../unit/agent/fetch/an-image-server.ts";
import { aPack } from "../../unit/agent/write/a-pack.ts";
import { answer, collect, firstOf } from "../calls.ts";
import type { AgentInWorld } from "./agent-in-world.ts";

export const mebibyte: number = 1024 * 1024;

export function spec(work: OperationSpec["work"]): OperationSpec {
  return OperationSpec.fromPartial({ work });
}

/** Work that this machine has no LED for, and that touches nothing. */
export const identify: OperationSpec = spec({ $case: "identify", value: { duration: { seconds: 1n, nanos: 0 } } });
export const unmount = (device: string): OperationSpec => spec({ $case: "unmount", value: { device } });
export const wipe = (device: string): OperationSpec =>
  spec({ $case: "wipe", value: { device, method: WipeMethod.WIPE_METHOD_SIGNATURES } });
export const makeExt4 = (device: string, label = "contract"): OperationSpec =>
  spec({ $case: "makeFilesystem", value: { device, type: FilesystemType.FILESYSTEM_TYPE_EXT4, label } });

/** Content of 4 MiB, served as a pack by a server that treats each request for it as told. */
export async function aSource(
  test: TestContext,
  behave: (request: number) => Behaviour = () => ({}),
): Promise<{ content: Buffer; source: ImageSource }> {
  const content = randomBytes(4 * mebibyte);
  const pack = aPack(content);
  const server = await anImageServer(test, pack.pack, behave, pack.manifest);
  const { url, storedBytes, sizeBytes, digest, firstPartitionBytes, manifest } = pack.sourceAt(server);
  const source: ImageSource = {
    url,
    compression: Compression.COMPRESSION_ZSTD,
    storedBytes: BigInt(storedBytes),
    sizeBytes: BigInt(sizeBytes),
    digest,
    firstPartitionBytes: BigInt(firstPartitionBytes),
    manifest: { ...manifest, manifestBytes: BigInt(manifest.manifestBytes) },
  };
  return { content, source };
}

export async function start(
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
export async function statesOf({ client }: AgentInWorld, { operationId }: Operation): Promise<Operation[]> {
  const responses = await collect(client.watchOperation({ operationId }));
  return responses.flatMap(({ operation }) => operation ?? []);
}

export async function endStateOf(agent: AgentInWorld, operation: Operation): Promise<Operation> {
  const last = (await statesOf(agent, operation)).at(-1);
  assert.ok(last);
  return last;
}

export async function succeeds(agent: AgentInWorld, work: OperationSpec): Promise<void> {
  const { state, failure } = await endStateOf(agent, await start(agent, work));
  assert.equal(state, OperationState.OPERATION_STATE_SUCCEEDED, failure?.message);
}

/** A write that continues until it is cancelled. */
export interface StalledWrite {
  readonly operation: Operation;
  readonly disk: LoopDevice;
}

/** Starts a write whose source answers once, and then so little whenever it is asked again that it never ends. */
export async function aStalledWrite(agent: AgentInWorld, test: TestContext): Promise<StalledWrite> {
  const { client } = agent;
  const operationId = `stalled-${randomUUID()}`;
  let cancel = async (): Promise<unknown> => undefined;
  // Hooks run in their order: the operation has to let go of the device before that is detached.
  test.after(() => cancel());
  const disk = await aLoopDevice(test, 8);
  const { source } = await aSource(test, (request) => ({ ...(request > 1 && { stallAfterBytes: 16 }) }));
  const work = spec({
    $case: "writeImage",
    value: { device: disk.path, source, customisation: undefined, full: false, growth: undefined, ids: undefined },
  });
  const operation = await start(agent, work, operationId);
  cancel = () => answer(client, client.cancelOperation, { operationId });
  const stream = client.watchOperation({ operationId });
  await firstOf(stream, (response) => (response.operation?.progress?.read?.done ?? 0n) > 0n);
  stream.cancel();
  return { operation, disk };
}

/** The bytes at the beginning of a device, where its partition table is. */
export async function headOf({ path }: LoopDevice, lengthBytes = mebibyte): Promise<Buffer> {
  const handle = await open(path, "r");
  try {
    return (await handle.read(Buffer.alloc(lengthBytes), 0, lengthBytes, 0)).buffer;
  } finally {
    await handle.close();
  }
}
