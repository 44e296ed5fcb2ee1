// Whatever a node puts into whatever field of whatever message, what the controller keeps of it is bounded, and can be
// told to an operator. The messages and their fields come from the contracts, so that a new one cannot be forgotten.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  create,
  createFileRegistry,
  type DescField,
  type DescMessage,
  fromBinary,
  ScalarType,
  toBinary,
} from "@bufbuild/protobuf";
import { type ReflectMessage, reflect } from "@bufbuild/protobuf/reflect";
import { FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import fc from "fast-check";
import { devicesFromWire } from "../../../../../controller/rpc/wire/devices-from-wire.ts";
import { logReportFromWire } from "../../../../../controller/rpc/wire/log-report-from-wire.ts";
import { refusedRegistrationFromWire } from "../../../../../controller/rpc/wire/refused-registration-from-wire.ts";
import {
  checkedAgent,
  checkedFacts,
  heartbeatFromWire,
  registrationFromWire,
} from "../../../../../controller/rpc/wire/registration-from-wire.ts";
import { required } from "../../../../../controller/rpc/wire/text-from-wire.ts";
import { blockDeviceToWire } from "../../../../../proto/disk/block-device-codec.ts";
import { Failure, failureFromWire, failureToWire } from "../../../../../proto/failure.ts";
import { fileDescriptorSet } from "../../../../../proto/gen/file-descriptor-set.ts";
import * as agent from "../../../../../proto/gen/pallet/v1/agent.ts";
import { BlockDevice } from "../../../../../proto/gen/pallet/v1/disk.ts";
import * as enrollment from "../../../../../proto/gen/pallet/v1/enrollment.ts";
import { Failure as WireFailure } from "../../../../../proto/gen/pallet/v1/failure.ts";
import { AgentInfo, NodeFacts } from "../../../../../proto/gen/pallet/v1/node.ts";
import { Operation } from "../../../../../proto/gen/pallet/v1/operation.ts";
import { limits } from "../../../../../proto/limits.ts";
import { boardItemsFromWire } from "../../../../../proto/node/board-item.ts";
import { agentInfoToWire, factsToWire } from "../../../../../proto/node/node-codec.ts";
import { operationFromWire, operationToWire } from "../../../../../proto/operation/operation-codec.ts";

const facts = {
  bootId: "boot",
  interfaces: [{ name: "eth0", mac: "b8:27:eb:00:00:01", addresses: ["10.0.0.7"] }],
  root: { source: "/dev/mmcblk0p2", disk: "/dev/mmcblk0" },
};
const info = { role: 1, instanceId: "i", port: 7710 } as const;
const bootMac = "b8:27:eb:00:00:01";

/** What the controller keeps of an operation. Its spec is compared with what was asked for, and let go. */
function keptOf({ operation }: { readonly operation?: Operation | undefined }): unknown {
  const { spec: _, ...kept } = operationFromWire(required("operation", operation));
  Operation.encode(operationToWire(kept)).finish();
  return kept;
}

function nodeOf(answer: agent.GetNodeResponse): unknown {
  const read = {
    facts: checkedFacts(required("facts", answer.facts)),
    agent: checkedAgent(required("agent", answer.agent)),
  };
  NodeFacts.encode(factsToWire(read.facts)).finish();
  AgentInfo.encode(agentInfoToWire(read.agent)).finish();
  return read;
}

interface Codec {
  readonly sample: Uint8Array;
  /** Reads a message and returns what is kept of it. Throws a Failure for what is refused. */
  readonly keep: (bytes: Uint8Array) => unknown;
  /** Most characters of that as JSON. */
  readonly most: number;
}

/** Text is counted in characters, of which JSON may need six for one. */
const escaped = 6;
const operation = { operationId: "o", state: 1, progress: { read: { done: 1n, total: 2n } } } as const;
const operations = {
  most: escaped * (2 * limits.agents.failureCharacters.most + limits.operations.partitions.most * 100),
  sample: agent.StartOperationResponse.encode(agent.StartOperationResponse.fromPartial({ operation })).finish(),
};
const codecs: Readonly<Record<string, Codec>> = {
  RegisterRequest: {
    sample: enrollment.RegisterRequest.encode(
      enrollment.RegisterRequest.fromPartial({ bootMac, facts, agent: info }),
    ).finish(),
    keep(bytes) {
      const request = enrollment.RegisterRequest.decode(bytes);
      const refused = refusedRegistrationFromWire(request, "10.0.0.7", new Failure("invalid", "x".repeat(100_000)));
      assert.ok(JSON.stringify(refused).length < 10_000, "what is kept of a refused one");
      const read = registrationFromWire(request, "10.0.0.7");
      NodeFacts.encode(factsToWire(read.facts)).finish();
      AgentInfo.encode(agentInfoToWire(read.agent)).finish();
      return read;
    },
    most: limits.facts.bytes.most + 512,
  },
  HeartbeatRequest: {
    sample: enrollment.HeartbeatRequest.encode(
      enrollment.HeartbeatRequest.fromPartial({ bootMac, instanceId: "i", temperatureCelsius: 40 }),
    ).finish(),
    keep: (bytes) => heartbeatFromWire(enrollment.HeartbeatRequest.decode(bytes), "10.0.0.7"),
    most: 512,
  },
  ReportLogsRequest: {
    sample: enrollment.ReportLogsRequest.encode(
      enrollment.ReportLogsRequest.fromPartial({
        ...{ bootMac, instanceId: "i" },
        records: [{ sequence: 1n, time: new Date(1), level: 3, message: "m", fieldsJson: '{"a":1}', error: "e" }],
      }),
    ).finish(),
    keep: (bytes) => logReportFromWire(enrollment.ReportLogsRequest.decode(bytes)),
    most: escaped * limits.logs.textCharacters.most,
  },
  GetNodeResponse: {
    sample: agent.GetNodeResponse.encode(agent.GetNodeResponse.fromPartial({ facts, agent: info })).finish(),
    keep: (bytes) => nodeOf(agent.GetNodeResponse.decode(bytes)),
    most: 2 * limits.facts.bytes.most,
  },
  ReportBoardResponse: {
    sample: agent.ReportBoardResponse.encode(
      agent.ReportBoardResponse.fromPartial({ items: [{ name: "n", value: "v" }] }),
    ).finish(),
    keep: (bytes) => boardItemsFromWire(agent.ReportBoardResponse.decode(bytes).items),
    most: escaped * limits.board.bytes.most + 32 * limits.board.items.most,
  },
  ListBlockDevicesResponse: {
    sample: agent.ListBlockDevicesResponse.encode(
      agent.ListBlockDevicesResponse.fromPartial({
        devices: [{ name: "sda", path: "/dev/sda", children: [{ name: "sda1", mountpoints: ["/"] }] }],
      }),
    ).finish(),
    keep(bytes) {
      const devices = devicesFromWire(agent.ListBlockDevicesResponse.decode(bytes).devices);
      for (const device of devices) BlockDevice.encode(blockDeviceToWire(device)).finish();
      return devices;
    },
    // The answer that they came in is bounded: see answerBytes.
    most: 2 * limits.agents.answerBytes.most,
  },
  StartOperationResponse: { ...operations, keep: (bytes) => keptOf(agent.StartOperationResponse.decode(bytes)) },
  WatchOperationResponse: { ...operations, keep: (bytes) => keptOf(agent.WatchOperationResponse.decode(bytes)) },
  CancelOperationResponse: { ...operations, keep: (bytes) => keptOf(agent.CancelOperationResponse.decode(bytes)) },
  RebootResponse: { sample: new Uint8Array(), keep: () => ({}), most: 2 },
  // In the trailing metadata of every refusal.
  Failure: {
    sample: WireFailure.encode(WireFailure.fromPartial({ message: "m", range: { device: "/dev/sda" } })).finish(),
    keep(bytes) {
      const { reason, message, evidence, ...more } = failureFromWire(
        WireFailure.decode(bytes),
        limits.agents.failureCharacters.most,
      );
      WireFailure.encode(failureToWire(new Failure(reason, message, evidence))).finish();
      return { reason, message, evidence, more };
    },
    most: escaped * 2 * limits.agents.failureCharacters.most,
  },
};

/**
 * Messages from nodes that the controller does not ask for, or that another test is about: of a disk's content, "captures:
 * parts of a disk" in test/fuzz.
 */
const elsewhere = [
  "ListOperationsResponse",
  "EnrollRequest",
  "EnrollResidentRequest",
  "ReadDiskResponse",
  "RetryTasksResponse",
];

const registry = createFileRegistry(fromBinary(FileDescriptorSetSchema, fileDescriptorSet));

/** A field of a message, with the fields that lead to it. */
type Path = readonly DescField[];

function pathsOf(message: DescMessage, before: Path = []): Path[] {
  return message.fields.flatMap((field) => {
    const path = [...before, field];
    const isRepeated = before.filter((each) => each === field).length > 1;
    return field.message === undefined || isRepeated ? [path] : [path, ...pathsOf(field.message, path)];
  });
}

function messageOf(name: string): DescMessage {
  const found = registry.getMessage(`pallet.v1.${name}`);
  assert.ok(found, name);
  return found;
}

const fatText = "\u0007é".repeat(20_000);
const mostItems = 3000;

function fatScalar(type: ScalarType): unknown {
  switch (type) {
    case ScalarType.STRING:
      return fatText;
    case ScalarType.BYTES:
      return new Uint8Array(40_000);
    case ScalarType.BOOL:
      return true;
    case ScalarType.DOUBLE:
      return 1e308;
    case ScalarType.INT32:
      return -(2 ** 31);
    case ScalarType.UINT32:
      return 2 ** 32 - 1;
    case ScalarType.INT64:
      return -(2n ** 63n);
    case ScalarType.UINT64:
      return 2n ** 64n - 1n;
    default:
      throw new Error(`no fat value for scalar type ${type}`);
  }
}

/** A message with every text long, but for repeated messages in it: those would be too many. */
function fatMessage(message: DescMessage, depth = 0): ReflectMessage {
  const fat = reflect(message, create(message));
  for (const field of message.fields) {
    if (field.fieldKind === "scalar")
      fat.set(field, field.scalar === ScalarType.STRING ? "\u0007".repeat(300) : fatScalar(field.scalar));
    else if (field.fieldKind === "message" && depth < 2) fat.set(field, fatMessage(field.message, depth + 1));
  }
  return fat;
}

/** Makes the field fat in the message. */
function fatten(message: ReflectMessage, [field, ...rest]: Path): void {
  assert.ok(field);
  const [next] = rest;
  if (next !== undefined) {
    if (field.fieldKind === "list") {
      const list = message.get(field);
      if (list.size === 0 && field.message) list.add(reflect(field.message, create(field.message)));
      fatten(list.get(0) as ReflectMessage, rest);
    } else if (field.fieldKind === "message") {
      if (!message.isSet(field)) message.set(field, reflect(field.message, create(field.message)));
      fatten(message.get(field), rest);
    }
    return;
  }
  if (field.fieldKind === "scalar") message.set(field, fatScalar(field.scalar));
  else if (field.fieldKind === "enum") message.set(field, 2 ** 31 - 1);
  else if (field.fieldKind === "message") message.set(field, fatMessage(field.message));
  else if (field.fieldKind === "list") {
    const list = message.get(field);
    const item = field.message ? fatMessage(field.message, 1) : field.scalar ? "\u0007".repeat(300) : 1;
    for (let count = 0; count < mostItems; count += 1) list.add(item);
  }
}

function keptAfter(name: string, paths: readonly Path[]): { readonly size: number; readonly most: number } {
  const codec = codecs[name];
  assert.ok(codec);
  const desc = messageOf(name);
  const message = reflect(desc, fromBinary(desc, codec.sample));
  for (const path of paths) fatten(message, path);
  try {
    const kept = codec.keep(toBinary(desc, message.message));
    return { size: JSON.stringify(kept).length, most: codec.most };
  } catch (error) {
    // Refused, in a few words.
    if (error instanceof Failure) return { size: error.message.length, most: 1000 };
    throw error;
  }
}

describe("what nodes make the controller keep", () => {
  it("is known for every message of theirs", () => {
    const agents = registry.getService("pallet.v1.AgentService")?.methods.map(({ output }) => output.name) ?? [];
    const requests = registry.getService("pallet.v1.EnrollmentService")?.methods.map(({ input }) => input.name) ?? [];
    const known = [...Object.keys(codecs), ...elsewhere];
    assert.deepEqual(
      [...agents, ...requests].filter((name) => !known.includes(name)),
      [],
    );
    assert.ok(agents.length > 5 && requests.length > 2);
  });

  for (const name of Object.keys(codecs)) {
    it(`is bounded, whichever field of ${name} is fat`, () => {
      assert.ok(keptAfter(name, []).size > 1, "the sample itself is taken");
      for (const path of pathsOf(messageOf(name))) {
        const { size, most } = keptAfter(name, [path]);
        assert.ok(size <= most, `${path.map((field) => field.name).join(".")}: ${size} characters of ${most}`);
      }
    });
  }

  it("is bounded, whichever of them are fat together", () => {
    const one = fc.constantFrom(...Object.keys(codecs).filter((name) => messageOf(name).fields.length > 0));
    const some = one.chain((name) =>
      fc.tuple(
        fc.constant(name),
        fc.array(fc.constantFrom(...pathsOf(messageOf(name))), { minLength: 1, maxLength: 6 }),
      ),
    );
    fc.assert(
      fc.property(some, ([name, paths]) => {
        const { size, most } = keptAfter(name, paths);
        assert.ok(size <= most, `${size} characters of ${most}`);
      }),
      { numRuns: 40 },
    );
  });
});
