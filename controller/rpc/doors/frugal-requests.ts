import { BinaryReader } from "@bufbuild/protobuf/wire";
import type { ServiceDefinition } from "@grpc/grpc-js";
import { limits } from "../../../proto/limits.ts";

/** A request that was not read, because reading it would have cost too much; `message` says what is too much of it. */
export class OversizedRequest {
  readonly message: string;

  constructor(message: string) {
    this.message = message;
  }
}

/** Most bytes of a request of those methods for which it is not `limits.grpc.nodeRequestBytes`. */
const mostBytes: Readonly<Partial<Record<string, number>>> = { ReportLogs: limits.logs.requestBytes.most };

/**
 * The same service, whose requests become an OversizedRequest when they are too large for what they have to say: a
 * message of 4 MiB, gRPC's own limit, can hold two million empty ones, which take half a second and 130 MB to read.
 */
export function frugalRequests<Definition extends ServiceDefinition>(definition: Definition): Definition {
  const frugal = Object.entries(definition).map(([name, method]) => {
    const most = mostBytes[method.path.slice(method.path.lastIndexOf("/") + 1)] ?? limits.grpc.nodeRequestBytes.most;
    const requestDeserialize = (bytes: Buffer): unknown => {
      const excess = excessOf(bytes, most);
      return excess === undefined ? method.requestDeserialize(bytes) : new OversizedRequest(excess);
    };
    return [name, { ...method, requestDeserialize }];
  });
  return Object.fromEntries(frugal) as Definition;
}

function excessOf(bytes: Uint8Array, most: number): string | undefined {
  if (bytes.length > most) return `the request has ${bytes.length} bytes; send at most ${most}`;
  const mostFields = limits.grpc.requestFields.most;
  const reader = new BinaryReader(bytes);
  try {
    for (let fields = 1; reader.pos < reader.len; fields += 1) {
      if (fields > mostFields) return `the request has more than ${mostFields} fields and items; send fewer at once`;
      const [field, wireType] = reader.tag();
      reader.skip(wireType, field);
    }
  } catch {
    // Malformed: whoever reads it says so.
  }
  return undefined;
}
