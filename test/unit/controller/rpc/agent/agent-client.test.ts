import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, createServer, connect as dial, type Socket } from "node:net";
import { after, test } from "node:test";
import {
  credentials,
  Metadata,
  Server,
  ServerCredentials,
  type ServerUnaryCall,
  type ServerWritableStream,
  type ServiceError,
  status,
} from "@grpc/grpc-js";
import { answerAs } from "../../../../../agent/rpc/answer-as.ts";
import { AgentError, type AgentErrorKind } from "../../../../../controller/agents/agent-error.ts";
import type { AgentPort } from "../../../../../controller/agents/agent-port.ts";
import { type AgentPatience, createAgentConnector } from "../../../../../controller/rpc/agent/agent-client.ts";
import { blockDeviceToWire } from "../../../../../proto/disk/block-device-codec.ts";
import { Failure, failureMetadataKey, failureToWire } from "../../../../../proto/failure.ts";
import {
  type AgentServiceServer,
  AgentServiceService,
  GetNodeResponse,
} from "../../../../../proto/gen/pallet/v1/agent.ts";
import { Operation, OperationPhase, OperationState, WriteStage } from "../../../../../proto/gen/pallet/v1/operation.ts";
import { type AgentIds, signAnswer } from "../../../../../proto/grpc/agent-ids.ts";
import { failureMetadata } from "../../../../../proto/grpc/failure-metadata.ts";
import type { OperationId } from "../../../../../proto/operation/operation.ts";
import type { OperationSpec } from "../../../../../proto/operation/operation-spec.ts";
import type { ImageDigest, ManifestDigest } from "../../../../../proto/pack/digest.ts";
import { aDevice } from "../../../proto/disk/a-device.ts";

const operationId = "reimage-1-1" as OperationId;
const cleanups: (() => void)[] = [];
after(() => {
  for (const clean of cleanups) clean();
});

type Handlers = Partial<AgentServiceServer>;

/** A real server with these handlers; the others answer UNIMPLEMENTED. */
async function serve(handlers: Handlers, ids?: AgentIds, at = 0): Promise<{ server: Server; port: number }> {
  const server = new Server(ids && { interceptors: [answerAs(ids)] });
  server.addService(AgentServiceService, handlers as AgentServiceServer);
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync(`127.0.0.1:${at}`, ServerCredentials.createInsecure(), (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    );
  });
  cleanups.push(() => server.forceShutdown());
  return { server, port };
}

function reach(
  port: number,
  patience: Partial<AgentPatience> = {},
  address = "127.0.0.1",
  expected?: Partial<AgentIds>,
): AgentPort {
  const connector = createAgentConnector({ credentials: credentials.createInsecure(), patience });
  const agent = connector.connect({ address, port }, expected);
  cleanups.push(() => agent.close());
  return agent;
}

async function agentWith(handlers: Handlers, patience?: Partial<AgentPatience>): Promise<AgentPort> {
  return reach((await serve(handlers)).port, patience);
}

function failing(code: status, failure?: Failure): ServiceError {
  const metadata = failure === undefined ? new Metadata() : failureMetadata(failure);
  return Object.assign(new Error("details"), { code, details: "details", metadata });
}

async function errorOf(promise: Promise<unknown>): Promise<AgentError> {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof AgentError, String(error));
  return error;
}

const running = Operation.fromPartial({
  operationId,
  state: OperationState.OPERATION_STATE_RUNNING,
  progress: {
    phase: OperationPhase.OPERATION_PHASE_WRITING,
    read: { done: 5, total: 10 },
    written: { done: 7, total: 20 },
    bytesPerSecond: 3,
    eta: { seconds: 2, nanos: 500_000_000 },
    resumed: 1,
    stages: [
      { stage: WriteStage.WRITE_STAGE_COMPARE, bytes: 12n, busy: { seconds: 1n, nanos: 500_000_000 } },
      { stage: WriteStage.WRITE_STAGE_READ_BACK, bytes: 0n },
      { stage: 99 as WriteStage, bytes: 1n },
    ],
    stalled: { seconds: 21n },
    rewrittenBytes: 4096n,
    compared: { done: 8, total: 9 },
  },
  startedAt: new Date(1000),
});

test("facts and agent are converted to the domain's words", async () => {
  const response = GetNodeResponse.fromPartial({
    facts: {
      model: "Raspberry Pi 4",
      serial: "10000000a1b2c3d4",
      interfaces: [{ name: "eth0", mac: "02:00:00:00:00:01", addresses: ["10.0.0.1"] }],
      memoryBytes: 2n ** 32n,
      cpuCount: 4,
      bootId: "boot-1",
      root: { source: "/dev/mmcblk0p2", filesystemType: "ext4", disk: "/dev/mmcblk0" },
    },
    agent: {
      version: "1",
      role: 2,
      instanceId: "instance-1",
      port: 7710,
      installed: { imageName: "debian", imageDigest: "d1", reimageId: "r", installedAt: new Date(0) },
    },
  });
  const agent = await agentWith({ getNode: (_call, done) => done(null, response) });
  const found = await agent.getNode();
  assert.equal(found.facts.memoryBytes, 2 ** 32);
  assert.equal(found.facts.root.disk, "/dev/mmcblk0");
  assert.deepEqual(found.agent, {
    version: "1",
    role: "resident",
    instanceId: "instance-1",
    port: 7710,
    installed: { imageName: "debian", imageDigest: "d1", reimageId: "r", installedAt: "1970-01-01T00:00:00.000Z" },
  });
});

test("an answer without what it must hold is a failed call", async () => {
  const agent = await agentWith({ getNode: (_call, done) => done(null, { facts: undefined, agent: undefined }) });
  assert.equal((await errorOf(agent.getNode())).kind, "failed");
});

test("block devices come as a tree with sizes as numbers", async () => {
  const part = { name: "mmcblk0p1", path: "/dev/mmcblk0p1", type: "part", sizeBytes: 5n, partitionNumber: 1 };
  const agent = await agentWith({
    listBlockDevices: (_call, done) =>
      done(null, { devices: [{ ...wireDisk(), sizeBytes: 64n, children: [{ ...wireDisk(), ...part }] }] }),
  });
  const [disk] = await agent.listBlockDevices();
  assert.equal(disk?.sizeBytes, 64);
  assert.equal(disk?.children[0]?.sizeBytes, 5);
  assert.equal(disk?.children[0]?.partitionNumber, 1);
});

function wireDisk() {
  return blockDeviceToWire(aDevice("mmcblk0", { sizeBytes: 0 }));
}

const specs: readonly OperationSpec[] = [
  {
    kind: "write-image",
    device: "/dev/mmcblk0",
    source: {
      url: "http://c/images/x.zst",
      storedBytes: 10,
      sizeBytes: 512,
      digest: "d1" as ImageDigest,
      manifest: {
        url: "http://10.0.0.1:7701/images/b.manifest",
        digest: "b".repeat(64) as ManifestDigest,
        manifestBytes: 20,
      },
      firstPartitionBytes: 512,
    },
    customisation: {
      root: { offsetBytes: 1024, lengthBytes: 2048, filesystemType: "ext4" },
      stamp: {
        imageName: "i",
        imageDigest: "d1" as ImageDigest,
        reimageId: "r",
        installedAt: "2026-11-23T00:00:00.123Z",
      },
      resident: true,
    },
    full: true,
  },
  { kind: "make-filesystem", device: "/dev/sda1", type: "vfat", label: "DATA" },
  { kind: "wipe", device: "/dev/sda", method: "signatures" },
  { kind: "unmount", device: "/dev/sda" },
  { kind: "identify", durationMs: 1500 },
];

for (const spec of specs) {
  test(`the work "${spec.kind}" reaches the agent and comes back unchanged`, async () => {
    const agent = await agentWith({
      startOperation: ({ request }, done) => done(null, { operation: { ...running, ...request } }),
    });
    assert.deepEqual((await agent.startOperation(operationId, spec)).spec, spec);
  });
}

test("an operation is watched until it has ended", async () => {
  const agent = await agentWith({
    watchOperation(call) {
      call.write({ operation: running });
      const failure = failureToWire(new Failure("verify-mismatch", "other bytes", { expected: "a", found: "b" }));
      call.write({
        operation: { ...running, state: OperationState.OPERATION_STATE_FAILED, failure, endedAt: new Date(3000) },
      });
      call.end();
    },
  });
  const [first, last, ...more] = await Array.fromAsync(agent.watchOperation(operationId));
  assert.equal(more.length, 0);
  assert.deepEqual(first?.progress, {
    phase: "writing",
    read: { done: 5, total: 10 },
    written: { done: 7, total: 20 },
    skipped: { done: 0, total: 0 },
    verified: { done: 0, total: 0 },
    bytesPerSecond: 3,
    etaMs: 2500,
    resumed: 1,
    stages: [
      { stage: "compare", bytes: 12, busyMs: 1500 },
      { stage: "read-back", bytes: 0, busyMs: 0 },
    ],
    stalledMs: 21_000,
    rewrittenBytes: 4096,
    compared: { done: 8, total: 9 },
  });
  assert.equal(last?.state, "failed");
  assert.equal(last?.failure?.reason, "verify-mismatch");
  assert.deepEqual(last?.failure?.evidence, { expected: "a", found: "b" });
  assert.equal(last?.endedAt, 3000);
});

test("words of a newer agent are taken for the most harmless known ones", async () => {
  const newer = {
    ...running,
    state: 99 as OperationState,
    progress: { ...running.progress, phase: 99 as OperationPhase },
  };
  const agent = await agentWith({
    cancelOperation: (_call, done) =>
      done(null, { operation: Operation.fromPartial({ ...newer, endedAt: new Date(1) } as never) }),
    startOperation: (_call, done) => done(null, { operation: Operation.fromPartial(newer as never) }),
  });
  const started = await agent.startOperation(operationId, { kind: "unmount", device: "/dev/sda" });
  assert.deepEqual([started.state, started.progress.phase, started.spec], ["running", "starting", undefined]);
  const ended = await agent.cancelOperation(operationId);
  assert.deepEqual([ended.state, ended.failure?.reason], ["failed", "internal"]);
});

const refusals: readonly [code: status, kind: AgentErrorKind, silent: AgentErrorKind][] = [
  [status.FAILED_PRECONDITION, "refused", "refused"],
  [status.RESOURCE_EXHAUSTED, "refused", "refused"],
  [status.INVALID_ARGUMENT, "refused", "refused"],
  [status.ALREADY_EXISTS, "id-taken", "refused"],
  [status.UNIMPLEMENTED, "refused", "refused"],
  [status.NOT_FOUND, "not-found", "unreachable"],
  [status.INTERNAL, "failed", "unreachable"],
  [status.UNAVAILABLE, "failed", "unreachable"],
  [status.DEADLINE_EXCEEDED, "timed-out", "timed-out"],
  [status.DATA_LOSS, "failed", "failed"],
];

for (const [code, kind, silent] of refusals) {
  test(`${status[code]} with a failure is "${kind}", without one "${silent}"`, async () => {
    const failure = new Failure("mounted", "it is mounted", { found: "/mnt" });
    const withOne = await errorOf(
      (await agentWith({ reboot: (_call, done) => done(failing(code, failure)) })).reboot("b"),
    );
    assert.deepEqual([withOne.kind, withOne.reason, withOne.message], [kind, "mounted", "it is mounted"]);
    assert.deepEqual(withOne.evidence, { found: "/mnt" });
    const without = await errorOf((await agentWith({ reboot: (_call, done) => done(failing(code)) })).reboot("b"));
    assert.equal(without.kind, silent);
    assert.match(without.message, /Reboot to the agent at 127\.0\.0\.1:\d+/);
    assert.ok(without.cause instanceof Error);
  });
}

test("a failure that cannot be decoded leaves the status to decide", async () => {
  const error = failing(status.NOT_FOUND);
  error.metadata.set(failureMetadataKey, Buffer.from([0xff, 0xff, 0xff]));
  const agent = await agentWith({ reboot: (_call, done) => done(error) });
  assert.equal((await errorOf(agent.reboot("b"))).kind, "unreachable");
});

test("where nobody listens is unreachable", async () => {
  const { server, port } = await serve({});
  server.forceShutdown();
  const agent = reach(port);
  const error = await errorOf(agent.getNode());
  assert.deepEqual([error.kind, error.reason], ["unreachable", "node-silent"]);
  assert.match(error.message, new RegExp(`GetNode to the agent at 127.0.0.1:${port} did not get through`));
  assert.equal((await errorOf(Array.fromAsync(agent.watchOperation(operationId)))).kind, "unreachable");
});

test("a call that is not answered in time is timed out", async () => {
  const agent = await agentWith({ reboot: () => {} }, { callMs: 50 });
  const error = await errorOf(agent.reboot("b"));
  assert.deepEqual([error.kind, error.reason], ["timed-out", "node-silent"]);
});

test("an aborted call ends at once and is cancelled at the agent", async () => {
  const cancelled = Promise.withResolvers<void>();
  const arrived = Promise.withResolvers<void>();
  const agent = await agentWith({
    reboot(call: ServerUnaryCall<unknown, unknown>) {
      call.on("cancelled", () => cancelled.resolve());
      arrived.resolve();
    },
  });
  const stop = new AbortController();
  const rebooting = errorOf(agent.reboot("b", stop.signal));
  await arrived.promise;
  stop.abort();
  assert.equal((await rebooting).kind, "aborted");
  await cancelled.promise;
  assert.equal((await errorOf(agent.reboot("b", stop.signal))).kind, "aborted");
});

for (const [how, end] of Object.entries({
  "its signal": (stop: AbortController, _agent: AgentPort) => stop.abort(),
  "closing the connection": (_stop: AbortController, agent: AgentPort) => agent.close(),
})) {
  test(`watching ends with ${how}, and the agent notices`, async () => {
    const cancelled = Promise.withResolvers<void>();
    const agent = await agentWith({
      watchOperation(call: ServerWritableStream<unknown, { operation: Operation | undefined }>) {
        call.on("cancelled", () => cancelled.resolve());
        call.write({ operation: running });
      },
    });
    const stop = new AbortController();
    const watching = agent.watchOperation(operationId, stop.signal)[Symbol.asyncIterator]();
    assert.equal((await watching.next()).value?.state, "running");
    const next = errorOf(watching.next());
    end(stop, agent);
    assert.equal((await next).kind, "aborted");
    await cancelled.promise;
  });
}

test("leaving the loop early cancels the stream", async () => {
  const cancelled = Promise.withResolvers<void>();
  const agent = await agentWith({
    watchOperation(call: ServerWritableStream<unknown, { operation: Operation | undefined }>) {
      call.on("cancelled", () => cancelled.resolve());
      call.write({ operation: running });
    },
  });
  for await (const { state } of agent.watchOperation(operationId)) {
    assert.equal(state, "running");
    break;
  }
  await cancelled.promise;
});

test("a stream whose agent dies is unreachable", async () => {
  const { server, port } = await serve({ watchOperation: (call) => void call.write({ operation: running }) });
  const watching = reach(port).watchOperation(operationId)[Symbol.asyncIterator]();
  await watching.next();
  const next = errorOf(watching.next() as Promise<unknown>);
  server.forceShutdown();
  assert.equal((await next).kind, "unreachable");
});

test("a stream whose node lost its power without a word breaks by the missing sign of life", async () => {
  const { port } = await serve({ watchOperation: (call) => void call.write({ operation: running }) });
  // Between both, something that can swallow every packet, as a dead node does.
  const sockets: Socket[] = [];
  const proxy = createServer((client) => {
    const upstream = dial(port, "127.0.0.1");
    sockets.push(client, upstream);
    client.on("error", () => {});
    upstream.on("error", () => {});
    client.pipe(upstream).pipe(client);
  });
  proxy.listen(0, "127.0.0.1");
  await once(proxy, "listening");
  cleanups.push(() => {
    for (const socket of sockets) socket.destroy();
    proxy.close();
  });
  const agent = reach((proxy.address() as AddressInfo).port, { keepaliveMs: 100, keepaliveTimeoutMs: 100 });
  const watching = agent.watchOperation(operationId)[Symbol.asyncIterator]();
  await watching.next();
  for (const socket of sockets) {
    socket.unpipe();
    socket.pause();
  }
  assert.equal((await errorOf(watching.next() as Promise<unknown>)).kind, "unreachable");
});

test("a machine that accepts connections and never says a word costs none after its port is closed", async () => {
  // As an agent that hangs: the kernel still accepts (grpc-node issue 2785).
  const open = new Set<Socket>();
  const ends: Promise<unknown>[] = [];
  const hung = createServer((socket) => {
    open.add(socket);
    ends.push(once(socket, "close"));
    socket.on("error", () => {}).on("close", () => open.delete(socket));
    socket.resume();
  });
  hung.listen(0, "127.0.0.1");
  await once(hung, "listening");
  cleanups.push(() => hung.close());
  const { port } = hung.address() as AddressInfo;
  for (let attempt = 1; attempt <= 3; attempt += 1) {
    const agent = reach(port, { callMs: 100 });
    assert.equal((await errorOf(agent.reboot("b"))).kind, "timed-out");
    agent.close();
  }
  assert.equal(ends.length, 3);
  await Promise.all(ends);
  assert.equal(open.size, 0);
});

test("an agent is reached by its IPv6 address", async () => {
  const server = new Server();
  const handlers: Handlers = { reboot: (_call, done) => done(null, {}) };
  server.addService(AgentServiceService, handlers as AgentServiceServer);
  const port = await new Promise<number>((resolve) => {
    server.bindAsync("[::1]:0", ServerCredentials.createInsecure(), (error, bound) => resolve(error ? 0 : bound));
  });
  cleanups.push(() => server.forceShutdown());
  const rebooting = reach(port || 1, {}, "::1").reboot("b");
  // A machine without IPv6 can still show that the address was understood.
  if (port === 0) assert.match((await errorOf(rebooting)).message, /::1:1 did not get through/);
  else await rebooting;
});

test("an agent is called from the address that is told, over connections that close with their port", async () => {
  const callers: (string | undefined)[] = [];
  const closed: Promise<unknown>[] = [];
  const hung = createServer((socket) => {
    callers.push(socket.remoteAddress);
    closed.push(once(socket, "close"));
    socket.on("error", () => {}).resume();
  });
  hung.listen(0, "127.0.0.1");
  await once(hung, "listening");
  cleanups.push(() => hung.close());
  const connector = createAgentConnector({
    credentials: credentials.createInsecure(),
    patience: { callMs: 300 },
    sourceAddress: (address) => (address === "127.0.0.1" ? "127.0.0.5" : undefined),
  });
  const agent = connector.connect({ address: "127.0.0.1", port: (hung.address() as AddressInfo).port });
  assert.equal((await errorOf(agent.reboot("b"))).kind, "timed-out");
  assert.deepEqual(callers, ["127.0.0.5"]);
  agent.close();
  await Promise.all(closed);
});

test("an agent that cuts its caller off may obey another controller", async () => {
  const shut = createServer((socket) => socket.resetAndDestroy());
  shut.listen(0, "127.0.0.1");
  await once(shut, "listening");
  cleanups.push(() => shut.close());
  const error = await errorOf(reach((shut.address() as AddressInfo).port).reboot("b"));
  assert.equal(error.kind, "unreachable");
  assert.match(error.message, /its agent obeys another controller/);
});

const meant: AgentIds = { bootId: "boot-1", instanceId: "run-1" };
const unknownOperation = failing(status.NOT_FOUND, new Failure("invalid", "this agent does not know it"));
/** An agent that knows nothing of our operation, and would do whatever it is told. */
const knowingNothing: Handlers = {
  getNode: (_call, done) =>
    done(
      null,
      GetNodeResponse.fromPartial({ facts: { bootId: "boot-1" }, agent: { role: 1, instanceId: "run-1", port: 1 } }),
    ),
  watchOperation: (call) => void call.emit("error", unknownOperation),
  cancelOperation: (_call, done) =>
    done(null, { operation: { ...running, state: OperationState.OPERATION_STATE_CANCELLED, endedAt: new Date(1) } }),
  startOperation: () => assert.fail("a stranger started an operation"),
  reboot: () => assert.fail("a stranger rebooted"),
};
const calls: Readonly<Record<string, (agent: AgentPort) => Promise<unknown>>> = {
  GetNode: (agent) => agent.getNode(),
  WatchOperation: (agent) => Array.fromAsync(agent.watchOperation(operationId)),
  CancelOperation: (agent) => agent.cancelOperation(operationId),
  StartOperation: (agent) =>
    agent.startOperation(operationId, { kind: "wipe", device: "/dev/sda", method: "signatures" }),
  Reboot: (agent) => agent.reboot("boot-1"),
};

for (const [who, ids, expected] of [
  ["another boot", { bootId: "boot-2", instanceId: "run-1" }, meant],
  ["another run", { bootId: "boot-1", instanceId: "run-2" }, meant],
  ["another boot, where any run will do", { bootId: "boot-2", instanceId: "run-2" }, { bootId: "boot-1" }],
] as const)
  for (const [name, call] of Object.entries(calls))
    test(`${name} of ${who} is refused there, and to the caller nobody answered`, async () => {
      const { port } = await serve(knowingNothing, ids);
      const error = await errorOf(call(reach(port, {}, "127.0.0.1", expected)));
      assert.deepEqual([error.kind, error.reason], ["unreachable", "node-silent"]);
      assert.match(error.message, /was answered by another agent/);
    });

test("what an agent answers that ignores for whom a call is meant does not get through", async () => {
  const stranger = await serve({
    ...knowingNothing,
    cancelOperation(call, done) {
      const metadata = new Metadata();
      signAnswer(metadata, { bootId: "boot-2", instanceId: "run-2" });
      call.sendMetadata(metadata);
      done(null, { operation: { ...running, state: OperationState.OPERATION_STATE_CANCELLED, endedAt: new Date(1) } });
    },
  });
  const error = await errorOf(reach(stranger.port, {}, "127.0.0.1", meant).cancelOperation(operationId));
  assert.equal(error.kind, "unreachable");
});

test("the agent that is meant, and any run of the boot that is meant, get through", async () => {
  const { port } = await serve(knowingNothing, meant);
  for (const expected of [meant, { bootId: "boot-1" }, undefined]) {
    const agent = reach(port, {}, "127.0.0.1", expected);
    assert.equal((await agent.getNode()).agent.instanceId, "run-1");
    assert.equal((await errorOf(Array.fromAsync(agent.watchOperation(operationId)))).kind, "not-found");
    assert.equal((await agent.cancelOperation(operationId)).state, "cancelled");
  }
});

test("an agent from before answers were signed gets through", async () => {
  const { port } = await serve(knowingNothing);
  const agent = reach(port, {}, "127.0.0.1", meant);
  assert.equal((await agent.cancelOperation(operationId)).state, "cancelled");
});

for (const [age, ids] of [
  ["older", undefined],
  ["other", { bootId: "boot-2", instanceId: "run-2" }],
] as const)
  test(`after a break, an ${age} agent that has the port by then is not asked`, async () => {
    const first = await serve(knowingNothing, meant);
    const agent = reach(first.port, {}, "127.0.0.1", age === "older" ? meant : undefined);
    await agent.getNode();
    first.server.forceShutdown();
    const second = await serve(knowingNothing, ids, first.port);
    assert.equal((await errorOf(Array.fromAsync(agent.watchOperation(operationId)))).kind, "unreachable");
    assert.equal((await errorOf(agent.cancelOperation(operationId))).kind, "unreachable");
    assert.equal((await errorOf(agent.reboot("boot-1"))).kind, "unreachable");
    second.server.forceShutdown();
  });
