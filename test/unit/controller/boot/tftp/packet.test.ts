import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import {
  decodePacket,
  encodeDataHeader,
  encodePacket,
  MalformedPacket,
  type Packet,
  type RequestPacket,
} from "../../../../../controller/boot/tftp/packet.ts";

const bytes = (text: string): Uint8Array => Buffer.from(text, "latin1");

describe("TFTP packets", () => {
  it("reads what U-Boot 2023.01 asks for a boot config", () => {
    const captured =
      "\0\x01pxelinux.cfg/01-b8-27-eb-00-00-01\0octet\0timeout\x005\0tsize\x000\0blksize\x001468\0windowsize\x008\0";
    assert.deepEqual(decodePacket(bytes(captured)), {
      type: "read-request",
      path: "pxelinux.cfg/01-b8-27-eb-00-00-01",
      mode: "octet",
      options: [
        ["timeout", "5"],
        ["tsize", "0"],
        ["blksize", "1468"],
        ["windowsize", "8"],
      ],
    });
  });

  const readable: readonly [title: string, wire: string, packet: Packet][] = [
    ["a request without options", "\0\x01a\0octet\0", request("a", "octet")],
    [
      "mode and option names in any case",
      "\0\x01a\0OcTet\0BLKSIZE\x00512\0",
      request("a", "octet", ["blksize", "512"]),
    ],
    ["a write request", "\0\x02a\0netascii\0", { ...request("a", "netascii"), type: "write-request" }],
    ["a request padded with zeros", "\0\x01a\0octet\0\0\0\0", request("a", "octet")],
    ["an acknowledgement", "\0\x04\xff\xfe", { type: "acknowledgement", block: 65534 }],
    [
      "an acknowledgement padded to an Ethernet frame",
      `\0\x04\0\x01${"\0".repeat(42)}`,
      { type: "acknowledgement", block: 1 },
    ],
    ["an empty block", "\0\x03\0\x07", { type: "data", block: 7, data: new Uint8Array(0) }],
    ["an error", "\0\x05\0\x01File not found\0", { type: "error", code: 1, message: "File not found" }],
    ["an error whose text has no end", "\0\x05\0\x08nope", { type: "error", code: 8, message: "nope" }],
    ["an error without text", "\0\x05\0\0", { type: "error", code: 0, message: "" }],
    ["accepted options", "\0\x06tsize\x001024\0", { type: "option-acknowledgement", options: [["tsize", "1024"]] }],
  ];
  for (const [title, wire, packet] of readable)
    it(`reads ${title}`, () => {
      const decoded = decodePacket(bytes(wire));
      assert.deepEqual(decoded.type === "data" ? { ...decoded, data: new Uint8Array(decoded.data) } : decoded, packet);
    });

  const malformed: readonly [title: string, wire: string][] = [
    ["nothing", ""],
    ["three bytes", "\0\x04\0"],
    ["an unknown opcode", "\0\x09\0\0"],
    ["an opcode of another byte order", "\x01\0a\0octet\0"],
    ["a request without an end", "\0\x01aaaa"],
    ["a request without a mode", "\0\x01aaaa\0"],
    ["an empty file name", "\0\x01\0octet\0"],
    ["an option without a value", "\0\x01a\0octet\0blksize\0"],
    ["a file name that is not UTF-8", "\0\x01\xff\xfe\0octet\0"],
    ["too many options", `\0\x01a\0octet\0${"a\x001\0".repeat(17)}`],
    ["a request that is far too long", `\0\x01${"a".repeat(2000)}\0octet\0`],
  ];
  for (const [title, wire] of malformed)
    it(`calls ${title} malformed`, () => assert.throws(() => decodePacket(bytes(wire)), MalformedPacket));

  it("decodes what it encodes, for every packet", () => {
    const word = fc.string({ unit: "binary", maxLength: 15 }).map((text) => text.replaceAll("\0", "") || "x");
    const option = fc.tuple(
      word.map((name) => name.toLowerCase()).filter((name) => name.toLowerCase() === name),
      word,
    );
    const block = fc.nat(65535);
    const plain = { noNullPrototype: true };
    const packets: fc.Arbitrary<Packet> = fc.oneof(
      fc.record(
        {
          type: fc.constantFrom("read-request" as const, "write-request" as const),
          path: word,
          mode: fc.constantFrom("octet", "netascii", "mail"),
          options: fc.array(option, { maxLength: 3 }),
        },
        plain,
      ),
      fc.record({ type: fc.constant("data" as const), block, data: fc.uint8Array({ maxLength: 1468 }) }, plain),
      fc.record({ type: fc.constant("acknowledgement" as const), block }, plain),
      fc.record({ type: fc.constant("error" as const), code: block, message: word }, plain),
      fc.record(
        {
          type: fc.constant("option-acknowledgement" as const),
          options: fc.array(option, { minLength: 1, maxLength: 5 }),
        },
        plain,
      ),
    );
    fc.assert(
      fc.property(packets, (packet) => {
        const decoded = decodePacket(encodePacket(packet));
        assert.deepEqual(decoded, packet);
      }),
    );
  });

  it("never fails otherwise than by calling bytes malformed", () => {
    const almostPackets = fc
      .tuple(fc.nat(7), fc.uint8Array({ maxLength: 600 }))
      .map(([opcode, rest]) => Uint8Array.from([0, opcode, ...rest]));
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array({ maxLength: 64 }), almostPackets), (input) => {
        try {
          decodePacket(input);
        } catch (error) {
          assert.ok(error instanceof MalformedPacket);
        }
      }),
      { numRuns: 500 },
    );
  });

  it("keeps the zero byte, which would end a word early, out of what it writes", () => {
    assert.throws(() => encodePacket(request("a\0b", "octet")), RangeError);
    assert.deepEqual(decodePacket(encodePacket({ type: "error", code: 0, message: "a\0b" })), {
      type: "error",
      code: 0,
      message: "a b",
    });
  });

  it("writes the header of a block on its own, for data that need not be copied", () => {
    const whole = encodePacket({ type: "data", block: 0x1234, data: Uint8Array.of(9) });
    assert.deepEqual(encodeDataHeader(0x1234), whole.subarray(0, 4));
  });
});

function request(path: string, mode: string, ...options: (readonly [string, string])[]): RequestPacket {
  return { type: "read-request", path, mode, options };
}
