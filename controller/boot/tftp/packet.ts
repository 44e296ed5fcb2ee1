import { limits } from "../../../proto/limits.ts";

/** Error codes of RFC 1350 (appendix) and RFC 2347. */
export const errorCode = {
  notDefined: 0,
  fileNotFound: 1,
  accessViolation: 2,
  illegalOperation: 4,
  unknownTransferId: 5,
  optionNegotiation: 8,
} as const;

/** An option as it travels: a name and a value, both text (RFC 2347). */
export type Option = readonly [name: string, value: string];

/** A request to read or write a file, with the options in the order of the packet. */
export interface RequestPacket {
  readonly type: "read-request" | "write-request";
  readonly path: string;
  /** Lower-case: "octet", "netascii", "mail". */
  readonly mode: string;
  readonly options: readonly Option[];
}

/** A packet of RFC 1350 or RFC 2347. Block numbers are the 16 bits that travel. */
export type Packet =
  | RequestPacket
  | { readonly type: "data"; readonly block: number; readonly data: Uint8Array }
  | { readonly type: "acknowledgement"; readonly block: number }
  | { readonly type: "error"; readonly code: number; readonly message: string }
  | { readonly type: "option-acknowledgement"; readonly options: readonly Option[] };

/** The bytes are not a TFTP packet. */
export class MalformedPacket extends Error {
  constructor(message: string) {
    super(message);
    this.name = "MalformedPacket";
  }
}

const opcodes = {
  "read-request": 1,
  "write-request": 2,
  data: 3,
  acknowledgement: 4,
  error: 5,
  "option-acknowledgement": 6,
} as const satisfies Record<Packet["type"], number>;

const maxRequestBytes = limits.tftp.requestBytes.most;
const maxOptions = limits.tftp.requestOptions.most;

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const lenientDecoder = new TextDecoder("utf-8", { ignoreBOM: true });
const encoder = new TextEncoder();

/** Reads a packet from a datagram. Throws MalformedPacket. `data` shares the memory of `bytes`. */
export function decodePacket(bytes: Uint8Array): Packet {
  if (bytes.length < 4) throw new MalformedPacket(`a datagram of ${bytes.length} bytes is not a TFTP packet`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const opcode = view.getUint16(0);
  switch (opcode) {
    case opcodes["read-request"]:
    case opcodes["write-request"]:
      return decodeRequest(opcode === opcodes["read-request"] ? "read-request" : "write-request", bytes);
    case opcodes.data:
      return { type: "data", block: view.getUint16(2), data: bytes.subarray(4) };
    case opcodes.acknowledgement:
      // Some boot ROMs pad their acknowledgements to the minimum of an Ethernet frame: what follows is ignored.
      return { type: "acknowledgement", block: view.getUint16(2) };
    case opcodes.error: {
      const end = bytes.indexOf(0, 4);
      const message = lenientDecoder.decode(bytes.subarray(4, end === -1 ? bytes.length : end));
      return { type: "error", code: view.getUint16(2), message };
    }
    case opcodes["option-acknowledgement"]:
      return { type: "option-acknowledgement", options: pairs(decodeWords(bytes)) };
    default:
      throw new MalformedPacket(`opcode ${opcode} is unknown`);
  }
}

function decodeRequest(type: RequestPacket["type"], bytes: Uint8Array): RequestPacket {
  const [path, mode, ...options] = decodeWords(bytes);
  if (path === undefined || mode === undefined) throw new MalformedPacket("a request has no file name or no mode");
  if (path === "") throw new MalformedPacket("a request with an empty file name");
  return { type, path, mode: mode.toLowerCase(), options: pairs(options) };
}

/** The zero-terminated words after the opcode. A padding of zeros behind the last one is ignored. */
function decodeWords(bytes: Uint8Array): string[] {
  if (bytes.length > maxRequestBytes) throw new MalformedPacket(`a request of ${bytes.length} bytes is too long`);
  const words: string[] = [];
  for (let start = 2; start < bytes.length; ) {
    const end = bytes.indexOf(0, start);
    if (end === -1) throw new MalformedPacket("a word is not terminated by a zero byte");
    try {
      words.push(decoder.decode(bytes.subarray(start, end)));
    } catch (cause) {
      throw new MalformedPacket(`a word is not UTF-8: ${String(cause)}`);
    }
    start = end + 1;
  }
  return words;
}

function pairs(words: readonly string[]): Option[] {
  const options: Option[] = [];
  for (let index = 0; index < words.length; index += 2) {
    const name = words[index];
    const value = words[index + 1];
    if (name === undefined || name === "") break;
    if (value === undefined) throw new MalformedPacket(`option ${JSON.stringify(name)} has no value`);
    if (options.length === maxOptions) throw new MalformedPacket(`more than ${maxOptions} options`);
    options.push([name.toLowerCase(), value]);
  }
  return options;
}

/** Writes a packet. Throws RangeError for a word that contains a zero byte. */
export function encodePacket(packet: Packet): Uint8Array {
  switch (packet.type) {
    case "read-request":
    case "write-request":
      return encodeWords(packet.type, [packet.path, packet.mode, ...packet.options.flat()]);
    case "option-acknowledgement":
      return encodeWords(packet.type, packet.options.flat());
    case "data": {
      const bytes = new Uint8Array(4 + packet.data.length);
      bytes.set(header(opcodes.data, packet.block));
      bytes.set(packet.data, 4);
      return bytes;
    }
    case "acknowledgement":
      return header(opcodes.acknowledgement, packet.block);
    case "error": {
      const message = encoder.encode(packet.message.replaceAll("\0", " "));
      const bytes = new Uint8Array(4 + message.length + 1);
      bytes.set(header(opcodes.error, packet.code));
      bytes.set(message, 4);
      return bytes;
    }
  }
}

/** The first four bytes of the DATA packet of a block: what the server puts before bytes that it does not copy. */
export function encodeDataHeader(block: number): Uint8Array {
  return header(opcodes.data, block);
}

function header(opcode: number, value: number): Uint8Array {
  return Uint8Array.of(0, opcode, (value >> 8) & 0xff, value & 0xff);
}

function encodeWords(type: keyof typeof opcodes, words: readonly string[]): Uint8Array {
  if (words.some((word) => word.includes("\0"))) throw new RangeError(`a ${type} cannot carry a zero byte in a word`);
  const body = encoder.encode(words.map((word) => `${word}\0`).join(""));
  const bytes = new Uint8Array(2 + body.length);
  bytes[1] = opcodes[type];
  bytes.set(body, 2);
  return bytes;
}
