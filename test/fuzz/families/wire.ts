import assert from "node:assert/strict";
import { Metadata } from "@grpc/grpc-js";
import fc from "fast-check";
import { parseImageName } from "../../../controller/images/catalogue/parse-manifest.ts";
import { agentErrorOf } from "../../../controller/rpc/agent/agent-error.ts";
import { frugalRequests, OversizedRequest } from "../../../controller/rpc/doors/frugal-requests.ts";
import { fileOf, headerOf, type UploadMessage } from "../../../controller/rpc/doors/upload.ts";
import { devicesFromWire } from "../../../controller/rpc/wire/devices-from-wire.ts";
import { logBatchFromWire, logReportFromWire } from "../../../controller/rpc/wire/log-report-from-wire.ts";
import { nodeOperationFromWire } from "../../../controller/rpc/wire/operation-spec-from-wire.ts";
import { refusedRegistrationFromWire } from "../../../controller/rpc/wire/refused-registration-from-wire.ts";
import { heartbeatFromWire, registrationFromWire } from "../../../controller/rpc/wire/registration-from-wire.ts";
import { rolloutRequestFromWire } from "../../../controller/rpc/wire/rollout-from-wire.ts";
import { labelChangesFromWire, selectorFromWire } from "../../../controller/rpc/wire/selector-from-wire.ts";
import { plainJsonObject, plainLines, plainText } from "../../../controller/rpc/wire/text-from-wire.ts";
import { blockDeviceFromWire, blockDeviceToWire } from "../../../proto/disk/block-device-codec.ts";
import { failureFromWire, failureMetadataKey } from "../../../proto/failure.ts";
import * as controllerWire from "../../../proto/gen/pallet/v1/controller.ts";
import { BlockDevice } from "../../../proto/gen/pallet/v1/disk.ts";
import * as enrollment from "../../../proto/gen/pallet/v1/enrollment.ts";
import { Failure as WireFailure } from "../../../proto/gen/pallet/v1/failure.ts";
import * as operationWire from "../../../proto/gen/pallet/v1/operation.ts";
import { answeringAgent, areSameAgent, expectedAgent, signAnswer } from "../../../proto/grpc/agent-ids.ts";
import { type BoardItem, boardItemsFromWire, boardLimits } from "../../../proto/node/board-item.ts";
import { decodeControllerMoved, encodeControllerMoved } from "../../../proto/node/controller-moved.ts";
import { operationFromWire } from "../../../proto/operation/operation-codec.ts";
import { parseSpec } from "../../../proto/operation/parse-spec.ts";
import { specToWire } from "../../../proto/operation/spec-codec.ts";
import { family, unlessRefused, unlessRejected } from "../frame/family.ts";
import { mutatedBytes, mutatedMessage, mutatedText } from "../frame/mutations.ts";

const digest = "ab".repeat(32);
const stamp = {
  imageName: "os",
  imageDigest: digest,
  reimageId: "r1",
  installedAt: new Date(1_700_000_000_000),
  ids: [{ partitionNumber: 1, imageUuid: "4e639091-01", cardUuid: "12345678-01" }],
};

const register = enrollment.RegisterRequest.fromPartial({
  bootMac: "dc:a6:32:01:02:03",
  facts: {
    model: "Raspberry Pi 4 Model B Rev 1.4",
    serial: "100000001234abcd",
    interfaces: [{ name: "eth0", mac: "dc:a6:32:01:02:03", currentMac: "dc:a6:32:01:02:04", addresses: ["10.0.0.2"] }],
    memoryBytes: 4_000_000_000n,
    cpuCount: 4,
    cpuModel: "Cortex-A72",
    temperatureCelsius: 41.5,
    kernel: "6.1.0",
    architecture: "aarch64",
    bootId: "b1",
    root: {
      source: "/dev/mmcblk0p2",
      filesystemType: "ext4",
      disk: "/dev/mmcblk0",
      ids: { partitionUuid: "4e639091-02", filesystemUuid: "u" },
      nfsRoot: "10.0.0.1:/r",
    },
    hostname: "pi",
    uptimeSeconds: 100n,
    kernels: { modules: [{ release: "6.1.0", usable: true }], kernels: ["6.1.0"] },
  },
  agent: {
    version: "0.1.0",
    role: 2,
    instanceId: "i1",
    port: 7710,
    installed: stamp,
    residentProgram: { kind: 1, sizeBytes: 100_000n, bits: 64, machine: 183, interpreter: "/lib/ld" },
    contract: "c",
    capabilities: ["a"],
    bootedAlone: true,
    found: [{ disk: "/dev/sda", device: "/dev/sda2", installed: stamp }],
  },
});
const heartbeat = enrollment.HeartbeatRequest.fromPartial({
  bootMac: "dc:a6:32:01:02:03",
  instanceId: "i1",
  temperatureCelsius: 40.5,
});
const logs = enrollment.ReportLogsRequest.fromPartial({
  bootMac: "dc:a6:32:01:02:03",
  instanceId: "i1",
  records: [
    {
      sequence: 1n,
      time: new Date(1_700_000_000_000),
      age: { seconds: 1n, nanos: 5 },
      level: 3,
      message: "m",
      fieldsJson: '{"a":1}',
      error: "Error: x\n at y",
    },
    {
      sequence: 2n,
      time: new Date(1_700_000_000_000),
      age: { seconds: 0n, nanos: 0 },
      level: 3,
      message: "m",
      fieldsJson: "",
      error: "",
    },
  ],
  droppedCount: 3n,
});

const source = {
  url: "http://10.0.0.1:7780/images/x.zst",
  storedBytes: 1_000_000,
  sizeBytes: 4_194_304,
  digest: digest as never,
  firstPartitionBytes: 1_048_576,
  manifest: { url: "http://10.0.0.1:7780/images/x.manifest", digest: digest as never, manifestBytes: 5_000 },
};
const place = { offsetBytes: 1_048_576, lengthBytes: 1_048_576 };
const specs = [
  specToWire({
    kind: "write-image",
    device: "/dev/mmcblk0",
    source,
    full: true,
    customisation: {
      root: { ...place, filesystemType: "ext4" },
      stamp: { ...stamp, imageDigest: digest as never, installedAt: stamp.installedAt.toISOString() },
      resident: true,
      diskFirmware: { action: "rename", partitions: [place], files: ["start4.elf"] },
      settings: { node: "dc:a6:32:01:02:03" as never, controllers: [{ host: "10.0.0.1", port: 7700 }] },
    },
    growth: { partitionNumber: 2, filesystemType: "ext4", ...place, endBytes: 8_388_608 },
    ids: { partitions: stamp.ids, fatPartitions: [place], root: { ...place, filesystemType: "ext4" } },
  }),
  specToWire({ kind: "verify-image", device: "/dev/mmcblk0", source }),
  specToWire({ kind: "make-filesystem", device: "/dev/sda", type: "ext4", label: "data" }),
  specToWire({ kind: "wipe", device: "/dev/sda", method: "discard" }),
  specToWire({ kind: "unmount", device: "/dev/sda" }),
  specToWire({ kind: "identify", durationMs: 10_000 }),
];
const count = { done: 5n, total: 10n };
const operation = operationWire.Operation.fromPartial({
  operationId: "o1",
  spec: specs[0],
  state: 2,
  progress: {
    phase: 3,
    read: count,
    written: count,
    skipped: count,
    verified: count,
    bytesPerSecond: 100n,
    eta: { seconds: 5n, nanos: 1 },
    resumed: 1,
    stages: [{ stage: 1, bytes: 5n, busy: { seconds: 1n, nanos: 1 } }],
    stalled: { seconds: 1n, nanos: 1 },
    rewrittenBytes: 1n,
    compared: count,
  },
  failure: {
    reason: 1,
    message: "m",
    range: { device: "/dev/sda", offsetBytes: 1n, lengthBytes: 1n },
    expected: "a",
    found: "b",
  },
  startedAt: new Date(1_700_000_000_000),
  endedAt: new Date(1_700_000_001_000),
  writeResult: { growth: { partitionBytes: 5n, filesystemGrown: true, limit: "x" }, ids: stamp.ids },
  diskOutcome: 1,
});
const rollout = controllerWire.RolloutRequest.fromPartial({
  nodes: ["pi1", "pi2"],
  imageName: "os",
  imageDigest: digest,
  disk: "/dev/mmcblk0",
  growToBytes: 1_000_000n,
  seen: [
    {
      nodeId: "dc:a6:32:01:02:03",
      disk: "/dev/mmcblk0",
      sizeBytes: 10n,
      model: "m",
      serial: "s",
      cid: "c",
      content: ["x"],
    },
  ],
});
const selector = controllerWire.NodeSelector.fromPartial({
  nodes: ["pi1"],
  all: true,
  labelSelector: "rack in (a, b)",
  states: [1],
});
const labels = controllerWire.LabelNodesRequest.fromPartial({
  set: [
    { key: "rack", value: "a" },
    { key: "b", value: "" },
  ],
  remove: ["c"],
});
const device = BlockDevice.fromPartial({
  name: "mmcblk0",
  path: "/dev/mmcblk0",
  type: "disk",
  sizeBytes: 32_000_000_000n,
  mountpoints: ["/"],
  children: [{ name: "mmcblk0p1", path: "/dev/mmcblk0p1", sizeBytes: 5n, startBytes: 5n, mountpoints: ["/boot"] }],
});

const ids = { bootId: "b1", instanceId: "i1" };
const frugal = frugalRequests({
  Register: {
    path: "/pallet.v1.EnrollmentService/Register",
    requestDeserialize: (bytes: Buffer): unknown => enrollment.RegisterRequest.decode(bytes),
  },
} as never) as never as Record<"Register", { readonly requestDeserialize: (bytes: Buffer) => unknown }>;

/** Most characters that one node's introduction takes in the database, as JSON. */
const mostRegistration = 64 * 1024;

/** What is kept of a message can be written and read again, and has no number that is none. */
function assertKept(value: unknown, mostCharacters: number): void {
  const text = JSON.stringify(value, (_, each: unknown) => {
    if (typeof each === "number") assert.ok(Number.isFinite(each), `it has the number ${each}`);
    return each;
  });
  assert.ok(text.length <= mostCharacters, `it takes ${text.length} characters, more than ${mostCharacters}`);
}

/** A chain of devices, one in the other. */
const nested = fc.constantFrom(3, 100, 3_000).map((depth) => {
  let chain = BlockDevice.fromPartial({ name: "x" });
  for (let level = 0; level < depth; level += 1) chain = { ...device, children: [chain] };
  return [chain];
});

/**
 * Messages of gRPC: from agents, from operators, and what agents are told. Requests for certificates are in the group of
 * identities. Left out: what gRPC and protobuf are themselves (grpc-js, ts-proto); what a command line shows of its
 * controller's answers (controller/cli/view), whom it knows by its bundle.
 */
export const wire = [
  family<enrollment.RegisterRequest>({
    name: "grpc: registrations",
    inputs: mutatedMessage(register),
    check(request) {
      const registration = unlessRefused(() => registrationFromWire(request, "10.0.0.2"));
      if (registration !== undefined) assertKept(registration, mostRegistration);
      assertKept(refusedRegistrationFromWire(request, "10.0.0.2", new Error("x".repeat(5_000))), 16 * 1024);
    },
  }),
  family<enrollment.HeartbeatRequest>({
    name: "grpc: heartbeats",
    inputs: mutatedMessage(heartbeat),
    check(request) {
      const beat = unlessRefused(() => heartbeatFromWire(request, "10.0.0.2"));
      if (beat !== undefined) assertKept(beat, 1_024);
    },
  }),
  family<enrollment.ReportLogsRequest>({
    name: "grpc: logs of agents",
    inputs: mutatedMessage(logs),
    check(request) {
      const { cost } = unlessRefused(() => logBatchFromWire(request)) ?? {};
      if (cost !== undefined) assertKept(cost, 1_024);
      const report = unlessRefused(() => logReportFromWire(request));
      if (report === undefined) return;
      assertKept(report, 8 * 1024 * 1024);
      for (const { ageMs, nodeTime, sequence } of report.records)
        assert.ok(ageMs >= 0 && Math.abs(nodeTime) <= 8.64e15 && Number.isSafeInteger(sequence));
    },
  }),
  family<operationWire.OperationSpec>({
    name: "grpc: work for agents",
    inputs: mutatedMessage(...specs),
    check(spec) {
      const parsed = unlessRefused(() => parseSpec(spec));
      if (parsed !== undefined) {
        assertKept(parsed, 1024 * 1024);
        // What an agent does is what it was told, also when it tells that again.
        assert.deepEqual(parseSpec(specToWire(parsed)), parsed);
      }
      unlessRefused(() => nodeOperationFromWire(spec));
    },
  }),
  family<operationWire.Operation>({
    name: "grpc: operations of agents",
    inputs: mutatedMessage(operation),
    check(reported) {
      const { failure: _, ...kept } = unlessRefused(() => operationFromWire(reported)) ?? {};
      assertKept(kept, 64 * 1024 * 1024);
    },
  }),
  family<readonly BlockDevice[]>({
    name: "grpc: disks of agents",
    inputs: fc.oneof(mutatedMessage([device]), nested),
    check(devices) {
      const kept = unlessRefused(() => devicesFromWire(devices));
      // As a command line reads what the controller hands on.
      for (const each of kept ?? []) assert.deepEqual(blockDeviceFromWire(blockDeviceToWire(each)), each);
      if (kept !== undefined) assertKept(kept, 16 * 1024 * 1024);
    },
  }),
  family<controllerWire.RolloutRequest>({
    name: "grpc: rollouts",
    inputs: mutatedMessage(rollout),
    check(request) {
      const parsed = unlessRefused(() => rolloutRequestFromWire(request));
      if (parsed !== undefined) assertKept(parsed, 64 * 1024 * 1024);
    },
  }),
  family<{ readonly selector: controllerWire.NodeSelector; readonly labels: controllerWire.LabelNodesRequest }>({
    name: "grpc: selectors and labels",
    inputs: fc.record({ selector: mutatedMessage(selector), labels: mutatedMessage(labels) }),
    check(request) {
      unlessRefused(() => selectorFromWire(request.selector));
      const changes = unlessRefused(() => labelChangesFromWire(request.labels));
      if (changes !== undefined) assertKept(changes, 8 * 1024 * 1024);
    },
  }),
  family<Buffer>({
    name: "grpc: bytes of messages",
    inputs: mutatedBytes(
      enrollment.RegisterRequest.encode(register).finish(),
      operationWire.Operation.encode(operation).finish(),
      WireFailure.encode(operation.failure ?? WireFailure.create()).finish(),
      BlockDevice.encode(device).finish(),
    ),
    check(bytes) {
      // ts-proto throws Errors of its own, which grpc-js answers; what it does decode has to be understood or refused.
      const request = unlessRefused(() => enrollment.RegisterRequest.decode(bytes), Error);
      if (request !== undefined) unlessRefused(() => registrationFromWire(request, undefined));
      const reported = unlessRefused(() => operationWire.Operation.decode(bytes), Error);
      if (reported !== undefined) unlessRefused(() => operationFromWire(reported));
      const failure = unlessRefused(() => WireFailure.decode(bytes), Error);
      if (failure !== undefined) failureFromWire(failure);
      const disk = unlessRefused(() => BlockDevice.decode(bytes), Error);
      if (disk !== undefined) unlessRefused(() => devicesFromWire([disk]));
    },
  }),
  family<{ readonly code: number; readonly details: string; readonly failure: Buffer }>({
    name: "grpc: errors of agents",
    inputs: fc.record({
      code: fc.integer({ min: -1, max: 20 }),
      details: mutatedText(["read ECONNRESET", "No connection established. Last error: Error: x. Resolution note: "], {
        maxCharacters: 16 * 1024,
      }),
      failure: mutatedBytes(WireFailure.encode(operation.failure ?? WireFailure.create()).finish(), Buffer.alloc(0)),
    }),
    check({ code, details, failure }) {
      const metadata = new Metadata();
      if (failure.length > 0) metadata.set(failureMetadataKey, failure);
      signAnswer(metadata, { bootId: details, instanceId: details.toWellFormed() });
      areSameAgent(answeringAgent(metadata), expectedAgent(metadata));
      const { kind, message } = agentErrorOf(
        Object.assign(new Error(details), { code, details, metadata }),
        "GetNode",
        undefined,
      );
      assert.ok(kind.length > 0 && message.length <= 4_096 + 100, `a message of ${message.length} characters`);
    },
  }),
  family<{ readonly bytes: Buffer; readonly items: readonly BoardItem[] }>({
    name: "grpc: words of agents and controllers",
    inputs: fc.record({
      bytes: mutatedBytes(
        encodeControllerMoved({
          ids,
          controllers: [
            { host: "10.0.0.1", port: 7700 },
            { host: "fe80::1", port: 7700 },
          ],
        }),
        enrollment.RegisterRequest.encode(register).finish(),
        Buffer.alloc(2_000, encodeControllerMoved({ ids, controllers: [{ host: "10.0.0.1", port: 1 }] })),
      ),
      items: mutatedMessage<BoardItem[]>([
        { name: "model", value: "Raspberry Pi 4" },
        { name: "log", value: "x\n" },
      ]),
    }),
    check({ bytes, items }) {
      for (const { host, port } of decodeControllerMoved(bytes, ids) ?? [])
        assert.ok(host !== "" && port >= 1 && port <= 65_535);
      const kept = boardItemsFromWire(items);
      assert.ok(kept.length <= boardLimits.items);
      assert.ok(kept.reduce((sum, { name, value }) => sum + name.length + value.length, 0) <= boardLimits.bytes);
      const read = unlessRefused(() => frugal.Register.requestDeserialize(bytes), Error);
      if (read instanceof OversizedRequest) assert.ok(read.message.length <= 200);
    },
  }),
  family<{ readonly messages: readonly UploadMessage<controllerWire.AddImageHeader>[] }>({
    name: "grpc: uploads",
    inputs: fc.record({
      messages: fc.array(
        fc.oneof(
          mutatedMessage<UploadMessage<controllerWire.AddImageHeader>>({
            part: { $case: "header", value: controllerWire.AddImageHeader.fromPartial({ name: "os", fileBytes: 8n }) },
          }),
          fc
            .constantFrom(0, 1, 4, 8, 2 ** 20, 2 ** 20 + 1)
            .map((length) => ({ part: { $case: "chunk" as const, value: new Uint8Array(length) } })),
          fc.constant({ part: undefined }),
        ),
        { maxLength: 5 },
      ),
    }),
    async check({ messages }) {
      await unlessRejected(async () => {
        const parts = (async function* () {
          yield* messages;
        })();
        const { name, fileBytes, upload } = await headerOf(parts, "AddImage");
        const claim = async () => ({ pieces: async function* () {}, release: () => undefined, close: () => undefined });
        unlessRefused(() => parseImageName(name));
        let received = 0n;
        const { source } = await fileOf(parts, { upload, fileBytes: Number(fileBytes) }, "AddImage", claim);
        for await (const piece of source) received += BigInt(piece.length);
        assert.ok(fileBytes <= 0n || received === fileBytes, `${received} bytes of ${fileBytes}`);
      });
    },
  }),
  family<string>({
    name: "grpc: texts",
    inputs: mutatedText(['{"a":{"b":["\\u202e"]}}', "one\ttwo\r\nthree\u202e  \n", "["], {
      words: ["[", "{", '"a":', "\t", "\r\n", "\u202e"],
      maxCharacters: 300_000,
    }),
    check(text) {
      for (const kept of [plainText(text), plainLines(text, 1_000), plainJsonObject(text) ?? ""]) {
        assert.doesNotMatch(kept.replaceAll("\n", ""), /[\p{Cc}\u202a-\u202e]/u);
        assert.ok(kept.isWellFormed());
      }
      assert.ok(plainText(text).length <= 256 && plainLines(text, 1_000).length <= 1_000);
    },
  }),
];
