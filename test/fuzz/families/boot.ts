import assert from "node:assert/strict";
import path from "node:path";
import fc from "fast-check";
import { parseBootPath } from "../../../controller/boot/boot-paths.ts";
import { parseFirmwareRequest, sharedFileRequest } from "../../../controller/boot/firmware-request.ts";
import { defaultLimits } from "../../../controller/boot/tftp/limits.ts";
import { negotiateOptions } from "../../../controller/boot/tftp/negotiate-options.ts";
import {
  decodePacket,
  encodePacket,
  MalformedPacket,
  type Option,
  type Packet,
} from "../../../controller/boot/tftp/packet.ts";
import { decodeRecordMark, decodeReply, encodeInteger } from "../../../controller/network/onc-rpc/codec.ts";
import { parseBoardPath } from "../../../controller/nodes/parse-board-path.ts";
import { parseOffer, renderDiscover } from "../../../controller/setup/dhcp-message.ts";
import { family, unlessRefused } from "../frame/family.ts";
import { mutatedBytes, mutatedText } from "../frame/mutations.ts";

/** A datagram over UDP carries no more. */
const maxDatagramBytes = 65_507;

const packets: readonly Packet[] = [
  { type: "read-request", path: "pxelinux.cfg/01-dc-a6-32-01-02-03", mode: "octet", options: [] },
  {
    type: "read-request",
    path: "01020304/start4.elf",
    mode: "NetASCII",
    options: [
      ["blksize", "1468"],
      ["tsize", "0"],
      ["timeout", "5"],
      ["windowsize", "64"],
    ],
  },
  { type: "write-request", path: "x", mode: "octet", options: [] },
  { type: "data", block: 65535, data: Buffer.alloc(512, 7) },
  { type: "acknowledgement", block: 1 },
  { type: "error", code: 1, message: "not found" },
  { type: "option-acknowledgement", options: [["blksize", "512"]] },
];

const requests: readonly string[] = [
  "pxelinux.cfg/01-dc-a6-32-01-02-03",
  "/boot/pxelinux.cfg/C0A80001",
  "pxelinux.cfg/default-arm-bcm283x-rpi",
  "pxelinux.cfg/00000000-0000-0000-0000-dca632010203",
  `images/${"ab".repeat(32)}/boot/vmlinuz`,
  "agent/20260101-000000-abcdef/vmlinuz",
  "agent/flat/backports/initrd.img",
  "agent/flat/backports/bcm2711-rpi-4-b.dtb",
  "01020304/pallet/0123456789ab/kernel",
  "dc-a6-32-01-02-03/overlays/disable-bt.dtbo",
  ".\\..\\start4.elf",
  "//./config.txt",
];

const words = [
  "pxelinux.cfg",
  "01-",
  "images",
  "agent",
  "pallet",
  "overlays",
  "backports",
  "/",
  "\\",
  "..",
  ".",
  "%00",
  "default-",
];

/** Nothing that is served is outside the folder that it is looked for in. */
function assertInside(file: string, what: string): void {
  const inside = path.posix.resolve("/tree", file);
  assert.ok(inside.startsWith("/tree/"), `${what} leaves its folder: ${JSON.stringify(file)}`);
  assert.ok(!file.includes("\0"), `${what} has a zero byte: ${JSON.stringify(file)}`);
  assert.ok(file !== "" && !file.startsWith("/"), `${what} is no relative path: ${JSON.stringify(file)}`);
}

/** TFTP, the paths that boards ask for, and what is asked of an NFS server. */
/** An answer of a DHCP server with these options. */
function offer(options: readonly number[]): Buffer {
  const message = renderDiscover(7, "02:00:00:00:00:01").subarray(0, 240);
  message[0] = 2;
  return Buffer.concat([message, Buffer.from(options)]);
}

export const boot = [
  family<Buffer>({
    name: "tftp: packets",
    inputs: fc.oneof(
      mutatedBytes(...packets.map((packet) => encodePacket(packet))),
      fc.uint8Array({ maxLength: 64 }).map((bytes) => Buffer.from(bytes)),
      fc
        .tuple(fc.integer({ min: 0, max: 7 }), fc.constantFrom("\0", "a\0", "blksize\x008\0", "é\0", "\xff"))
        .map(([opcode, unit]) => Buffer.concat([Buffer.of(0, opcode), Buffer.alloc(maxDatagramBytes - 2, unit)])),
    ),
    check(bytes) {
      const packet = unlessRefused(() => decodePacket(bytes), MalformedPacket);
      if (packet === undefined) return;
      if ("options" in packet) assert.ok(packet.options.length <= 16);
      if ("path" in packet) assert.ok(packet.path.length > 0 && packet.path.length <= 1024);
      // What was understood means the same when it is written again.
      const again = decodePacket(encodePacket(packet));
      if (packet.type !== "error") assert.deepEqual(plain(again), plain(packet));
    },
  }),
  family<{ readonly options: readonly Option[]; readonly sizeBytes: number }>({
    name: "tftp: options",
    inputs: fc.record({
      options: fc.array(
        fc.tuple(
          fc.oneof(fc.constantFrom("blksize", "windowsize", "timeout", "tsize", "__proto__"), fc.string()),
          fc.oneof(
            fc.integer({ min: -1, max: 70_000 }).map(String),
            fc.constantFrom(
              "0",
              "1",
              "8",
              "7",
              "65464",
              "65465",
              "4294967296",
              "99999999999",
              "1e3",
              " 8",
              "8 ",
              "0x8",
              "٣",
            ),
            fc.string(),
          ),
        ),
        { maxLength: 16 },
      ),
      sizeBytes: fc.maxSafeNat(),
    }),
    check({ options, sizeBytes }) {
      const { parameters, acknowledged } = negotiateOptions(options, sizeBytes, defaultLimits);
      assert.ok(parameters.blockSize >= 8 && parameters.blockSize <= defaultLimits.maxBlockSize);
      assert.ok(parameters.windowSize >= 1 && parameters.windowSize <= defaultLimits.maxWindowSize);
      const { timeoutMs = 1_000 } = parameters;
      assert.ok(timeoutMs >= 1_000 && timeoutMs <= 255_000);
      assert.ok(acknowledged.length <= 4 && acknowledged.every(([name]) => options.some(([asked]) => asked === name)));
      // RFC 2347: the answer fits in the first packet that every client takes.
      assert.ok(encodePacket({ type: "option-acknowledgement", options: acknowledged }).length <= 512);
    },
  }),
  family<string>({
    name: "boot files: paths",
    inputs: mutatedText(requests, { words, maxCharacters: 2_000 }),
    check(request) {
      const meaning = parseBootPath(request);
      if (meaning.kind === "file") for (const file of meaning.candidates) assertInside(file, "a boot file");
      if (meaning.kind === "image-file" || meaning.kind === "root-file") assertInside(meaning.file, meaning.kind);
      if (meaning.kind === "root-file") assertInside(meaning.id, "a version");
      if (meaning.kind === "refused") assert.ok(meaning.reason.length < 200);
      if (meaning.kind === "file") {
        const asked = parseFirmwareRequest(meaning.candidates);
        if (asked?.kind === "boot-file") assertInside(asked.file, "a file of a boot");
        const shared = sharedFileRequest(meaning.candidates);
        if (shared.kind === "shared-file") assertInside(shared.file, "a file of an image");
      }
      const { segments } = parseBoardPath(request);
      assert.ok(segments.every((segment) => segment !== "" && !segment.includes("/")));
    },
  }),
  family<Buffer>({
    name: "dhcp: answers of servers",
    inputs: mutatedBytes(
      offer([53, 1, 2, 54, 4, 10, 0, 0, 1, 255]),
      offer([0, 0, 54, 4, 10, 0, 0, 1, 53, 1, 2]),
      offer([53, 1, 5, 255]),
      offer([53, 255, 2]),
    ),
    check(bytes) {
      const server = parseOffer(bytes, 7);
      if (server !== undefined) assert.match(server, /^(\d{1,3}(\.\d{1,3}){3}|one that does not name itself)$/);
    },
  }),
  family<Buffer>({
    name: "nfs: replies of a server",
    inputs: mutatedBytes(
      Buffer.concat([7, 1, 0, 0, 0, 0, 42].map((value) => encodeInteger(value))),
      Buffer.concat([7, 1, 0, 1, 8, 1, 1, 0, 1].map((value) => encodeInteger(value))),
      Buffer.concat([7, 1, 1, 0].map((value) => encodeInteger(value))),
      Buffer.concat([7, 1, 0, 0, 0xffffffff, 0].map((value) => encodeInteger(value))),
    ),
    check(bytes) {
      const reply = unlessRefused(() => decodeReply(bytes), Error);
      if (reply?.kind === "success") assert.ok(reply.results.length <= bytes.length);
      if (reply?.kind === "refused") assert.ok(reply.why.length > 0 && reply.why.length < 100);
      const mark = unlessRefused(() => decodeRecordMark(bytes), RangeError);
      if (mark !== undefined) assert.ok(mark.length >= 0 && mark.length < 2 ** 31);
    },
  }),
];

/** Bytes of any kind compare by content. */
function plain(packet: Packet): unknown {
  return packet.type === "data" ? { ...packet, data: Buffer.from(packet.data).toString("hex") } : packet;
}
