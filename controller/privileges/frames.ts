import { Failure } from "../../proto/failure.ts";

/**
 * What goes over the broker's socket, either way: frames of one ASCII character that says the kind, the length of the payload as a
 * 32-bit number in network byte order, and the payload. `J` is a JSON object; `B` is a piece of a stream of bytes, an empty one its
 * end.
 */
export type Message =
  | { readonly kind: "value"; readonly value: unknown }
  | { readonly kind: "bytes"; readonly bytes: Uint8Array }
  | { readonly kind: "end" };

const headerBytes = 5;
const kinds = { value: 0x4a, bytes: 0x42 } as const;

/** Most bytes of a frame: of an object, so many nodes that no rack has them; of a piece, what is read at once. */
export const frameLimits = { value: 4 * 2 ** 20, bytes: 2 ** 20 } as const;

/** The frame of an object. Throws Failure `invalid` for one that is too long. */
export function encodeValue(value: object): Uint8Array {
  const payload = Buffer.from(JSON.stringify(value));
  if (payload.length > frameLimits.value)
    throw new Failure("invalid", `a message of ${payload.length} bytes is longer than the broker takes`);
  return Buffer.concat([header("value", payload.length), payload]);
}

/** The frames of a piece of a stream. */
export function* encodeBytes(bytes: Uint8Array): Generator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += frameLimits.bytes) {
    const piece = bytes.subarray(at, at + frameLimits.bytes);
    yield header("bytes", piece.length);
    yield piece;
  }
}

/** The frame that ends a stream. */
export const endOfStream: Uint8Array = header("bytes", 0);

function header(kind: keyof typeof kinds, length: number): Uint8Array {
  const bytes = Buffer.alloc(headerBytes);
  bytes.writeUInt8(kinds[kind], 0);
  bytes.writeUInt32BE(length, 1);
  return bytes;
}

/** Takes frames apart that arrive in pieces of any size. */
export interface FrameDecoder {
  /**
   * The messages that this completes; of a stream, whatever has come of it. Throws Failure `invalid` for what is no frame: nothing
   * that follows can be understood then.
   */
  push(chunk: Uint8Array): readonly Message[];
}

/** A decoder that never holds more than one object's frame. */
export function createFrameDecoder(): FrameDecoder {
  let head: Buffer = Buffer.alloc(0);
  let kind: keyof typeof kinds | undefined;
  let missing = 0;
  let parts: Uint8Array[] = [];

  function begin(): Message | undefined {
    const [first] = head;
    kind = first === kinds.value ? "value" : first === kinds.bytes ? "bytes" : undefined;
    if (kind === undefined) throw new Failure("invalid", "what came is no frame of the broker's protocol");
    missing = head.readUInt32BE(1);
    head = Buffer.alloc(0);
    if (missing > frameLimits[kind])
      throw new Failure("invalid", `a frame of ${missing} bytes is longer than the ${frameLimits[kind]} that may be`);
    return missing === 0 ? complete() : undefined;
  }

  function complete(): Message {
    const ended = kind;
    const payload = Buffer.concat(parts);
    [kind, parts] = [undefined, []];
    return ended === "bytes" ? { kind: "end" } : { kind: "value", value: parseObject(payload.toString("utf8")) };
  }

  function take(chunk: Uint8Array): { readonly rest: Uint8Array; readonly message: Message | undefined } {
    if (kind === undefined) {
      const wanted = headerBytes - head.length;
      head = Buffer.concat([head, chunk.subarray(0, wanted)]);
      return { rest: chunk.subarray(wanted), message: head.length < headerBytes ? undefined : begin() };
    }
    const piece = chunk.subarray(0, missing);
    missing -= piece.length;
    const rest = chunk.subarray(piece.length);
    if (kind === "bytes") {
      if (missing === 0) kind = undefined;
      return { rest, message: { kind: "bytes", bytes: piece } };
    }
    parts.push(piece);
    return { rest, message: missing === 0 ? complete() : undefined };
  }

  return {
    push(chunk) {
      const messages: Message[] = [];
      for (let rest = chunk; rest.length > 0; ) {
        const taken = take(rest);
        rest = taken.rest;
        if (taken.message !== undefined) messages.push(taken.message);
      }
      return messages;
    },
  };
}

function parseObject(text: string): object {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new Failure("invalid", "a message to the broker is no JSON", { cause });
  }
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value;
  throw new Failure("invalid", "a message to the broker is no JSON object");
}
