// What a flood sends inside of gRPC: requests that are none, and those of a node that has turned hostile.
import {
  EnrollRequest,
  EnrollResidentRequest,
  HeartbeatRequest,
  RegisterRequest,
  ReportLogsRequest,
} from "../../../proto/gen/pallet/v1/enrollment.ts";
import { LogRecord } from "../../../proto/gen/pallet/v1/log.ts";
import { AgentRole, NodeFacts } from "../../../proto/gen/pallet/v1/node.ts";
import type { Chance } from "./chance.ts";

/** One call: the path of its method, and what is sent to it. */
export interface Call {
  readonly path: string;
  readonly body: Buffer;
  /** Of "grpc-encoding". */
  readonly encoding?: string;
}

/** Makes one call of its kind. */
export type Calls = Readonly<Record<string, () => Call>>;

/** A message with its length before it, as gRPC has it on the wire. */
export function framed(message: Uint8Array): Buffer {
  const head = Buffer.alloc(5);
  head.writeUInt32BE(message.length, 1);
  return Buffer.concat([head, message]);
}

export const enrollment = (method: string): string => `/pallet.v1.EnrollmentService/${method}`;

/** Whose body is no request, for any method that there is and some that there are not. */
export function malformedCalls({ below, oneOf, rubbish }: Chance): Calls {
  const methods = ["Register", "Heartbeat", "ReportLogs", "Enroll", "EnrollResident", "Nothing"];
  const others = [
    "/pallet.v1.ControllerService/RunNodeOperation",
    "/pallet.v1.ControllerService/AddImage",
    "/grpc.health.v1.Health/Watch",
    "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
    "/x",
    "/",
  ];
  const path = (): string => (below(5) === 0 ? oneOf(others) : enrollment(oneOf(methods)));
  const longString = framed(Buffer.concat([Buffer.from([0x0a, 0x80, 0x80, 0x10]), Buffer.alloc(0x40000, 97)]));
  const emptyItems = framed(Buffer.alloc(200_000, Buffer.from([0x1a, 0])));
  const deep = framed(nested(2000));
  return {
    rubbish: () => ({ path: path(), body: rubbish(3000) }),
    "framed rubbish": () => ({ path: path(), body: framed(rubbish(3000)) }),
    "a length that is not there": () => ({ path: path(), body: Buffer.from([0, 0xff, 0xff, 0xff, 0xff, 1, 2, 3]) }),
    "compressed rubbish": () => ({
      path: path(),
      body: Buffer.concat([Buffer.from([1, 0, 0, 1, 0]), rubbish(256)]),
      encoding: "gzip",
    }),
    "a long string": () => ({ path: path(), body: longString }),
    "items without content": () => ({ path: path(), body: emptyItems }),
    "deep nesting": () => ({ path: path(), body: deep }),
    nothing: () => ({ path: path(), body: Buffer.alloc(0) }),
    "an invented token": () => ({
      path: enrollment("Enroll"),
      body: framed(
        EnrollRequest.encode(
          EnrollRequest.fromPartial({
            token: rubbish(40).toString("base64url"),
            csrDer: rubbish(500),
            bootMac: "02:00:00:00:00:01",
            bootId: "x",
          }),
        ).finish(),
      ),
    }),
  };
}

function nested(depth: number): Buffer {
  let message = Buffer.alloc(0);
  for (let level = 0; level < depth && message.length < 60_000; level++) {
    const length = message.length;
    const size =
      length < 128
        ? [length]
        : length < 16_384
          ? [(length & 127) | 128, length >> 7]
          : [(length & 127) | 128, ((length >> 7) & 127) | 128, length >> 14];
    message = Buffer.concat([Buffer.from([0x12, ...size]), message]);
  }
  return message;
}

/** Who has a certificate of the controller's, and says what he likes. */
export interface HostileNode {
  readonly mac: string;
  readonly bootId: string;
}

/** Of a node with a certificate of its own: about itself, and about `others`, the MAC addresses of honest nodes. */
export function hostileCalls({ below, oneOf, rubbish }: Chance, own: HostileNode, others: readonly string[]): Calls {
  const long = "w".repeat(4096);
  const agent = { role: AgentRole.AGENT_ROLE_NETBOOT, instanceId: "hostile", port: 7710 };
  const fat = NodeFacts.fromPartial({
    bootId: own.bootId,
    model: long,
    temperatureCelsius: 1e308,
    memoryBytes: 2n ** 63n,
    interfaces: Array.from({ length: 64 }, () => ({
      name: long.slice(0, 64),
      mac: own.mac,
      addresses: Array.from({ length: 16 }, () => long.slice(0, 64)),
    })),
  });
  const register = (bootMac: string, facts: NodeFacts): Call => ({
    path: enrollment("Register"),
    body: framed(RegisterRequest.encode(RegisterRequest.fromPartial({ bootMac, facts, agent })).finish()),
  });
  const heartbeat = (bootMac: string, instanceId: string, temperatureCelsius: number): Call => ({
    path: enrollment("Heartbeat"),
    body: framed(HeartbeatRequest.encode({ bootMac, instanceId, temperatureCelsius }).finish()),
  });
  const records = Array.from({ length: 800 }, (_, index) =>
    LogRecord.fromPartial({ sequence: BigInt(index), message: long.slice(0, 1000), fieldsJson: "{", error: long }),
  );
  const logs = framed(
    ReportLogsRequest.encode({ bootMac: own.mac, instanceId: "hostile", records, droppedCount: 2n ** 63n }).finish(),
  );
  const slim = NodeFacts.fromPartial({ bootId: own.bootId, interfaces: [{ name: "eth0", mac: own.mac }] });
  return {
    "fat facts": () => register(own.mac, fat),
    "facts of another boot": () => register(own.mac, NodeFacts.fromPartial({ ...slim, bootId: String(below(1e9)) })),
    "another node's registration": () => register(oneOf(others), slim),
    "another node's heartbeat": () => heartbeat(oneOf(others), "hostile", 20),
    "an absurd temperature": () => heartbeat(own.mac, "hostile", oneOf([1e308, Number.NaN, -Infinity])),
    "a log of megabytes": () => ({ path: enrollment("ReportLogs"), body: logs }),
    "a rubbish request for a certificate": () => ({
      path: enrollment("EnrollResident"),
      body: framed(EnrollResidentRequest.encode({ csrDer: rubbish(5000) }).finish()),
    }),
    "an operator's call": () => ({
      path: `/pallet.v1.ControllerService/${oneOf(["ListNodes", "StartRollout", "SetBootTarget", "RemoveImage"])}`,
      body: framed(rubbish(100)),
    }),
  };
}
