// The broker's wire: whatever comes, in whatever pieces, is read as it was sent or refused.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import {
  createFrameDecoder,
  encodeBytes,
  encodeValue,
  endOfStream,
  frameLimits,
  type Message,
} from "../../../../controller/privileges/frames.ts";
import { Failure } from "../../../../proto/failure.ts";

/** Pieces of a stream, joined: in how many they come says nothing. */
function joined(messages: readonly Message[]): readonly unknown[] {
  const told: unknown[] = [];
  for (const message of messages) {
    const last = told.at(-1);
    if (message.kind !== "bytes") told.push(message.kind === "end" ? "end" : message.value);
    else if (Buffer.isBuffer(last)) told[told.length - 1] = Buffer.concat([last, message.bytes]);
    else told.push(Buffer.from(message.bytes));
  }
  return told;
}

function decode(bytes: Uint8Array, pieceBytes: number): readonly unknown[] {
  const decoder = createFrameDecoder();
  const messages: Message[] = [];
  for (let at = 0; at < bytes.length; at += pieceBytes)
    messages.push(...decoder.push(bytes.subarray(at, at + pieceBytes)));
  return joined(messages);
}

describe("frames of the broker", () => {
  it("are read as they were sent, in whatever pieces they come", () => {
    const value = fc.dictionary(fc.string(), fc.jsonValue());
    const stream = fc.uint8Array({ minLength: 1, maxLength: 5000 });
    fc.assert(
      fc.property(
        fc.array(fc.oneof(value, stream), { maxLength: 8 }),
        fc.integer({ min: 1, max: 700 }),
        (sent, size) => {
          const frames = sent.flatMap((each) =>
            each instanceof Uint8Array ? [...encodeBytes(each), endOfStream] : [encodeValue(each)],
          );
          const expected = sent.flatMap((each) =>
            each instanceof Uint8Array ? [Buffer.from(each), "end"] : [JSON.parse(JSON.stringify(each))],
          );
          assert.deepEqual(decode(Buffer.concat(frames), size), expected);
        },
      ),
    );
  });

  it("are refused with a Failure where they are none, and never hold more than one object", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), fc.integer({ min: 1, max: 40 }), (bytes, size) => {
        try {
          decode(bytes, size);
        } catch (error) {
          assert.ok(error instanceof Failure && error.reason === "invalid", String(error));
        }
      }),
      { numRuns: 2000 },
    );
  });

  for (const [what, bytes, message] of [
    ["of another kind", Buffer.from("GET / HTTP/1.1\r\n\r\n"), /no frame of the broker's protocol/],
    ["of an object that is too long", header("J", frameLimits.value + 1), /longer than the 4194304 that may be/],
    ["of a piece that is too long", header("B", 2 ** 32 - 1), /longer than the 1048576 that may be/],
    ["of no JSON", Buffer.concat([header("J", 3), Buffer.from("{a}")]), /no JSON/],
    ["of an empty object", header("J", 0), /no JSON/],
    ["of a list", Buffer.concat([header("J", 2), Buffer.from("[]")]), /no JSON object/],
  ] as const)
    it(`are refused: ${what}`, () => assert.throws(() => decode(bytes, 3), message));

  it("are not made of an object that is too long", () => {
    assert.throws(() => encodeValue({ text: "a".repeat(frameLimits.value) }), /longer than the broker takes/);
  });
});

function header(kind: string, length: number): Buffer {
  const bytes = Buffer.alloc(5);
  bytes.write(kind, "latin1");
  bytes.writeUInt32BE(length, 1);
  return bytes;
}
