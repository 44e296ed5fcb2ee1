import { Failure } from "../../../proto/failure.ts";

/** Size of a tar archive's blocks, in bytes. */
export const tarBlockBytes = 512;
/** The longest name that is read or written, in bytes. */
export const mostNameBytes = 4096;

const longName = "././@LongLink";
/** What a header's number field of `width` bytes holds at most in octal digits. */
const mostOctal = (width: number): number => 8 ** (width - 1) - 1;

/** What one header says. */
export type TarHeader =
  | { readonly kind: "end" }
  | { readonly kind: "file"; readonly name: string; readonly sizeBytes: number }
  /** The next header's name is the content of this one. */
  | { readonly kind: "long-name"; readonly sizeBytes: number };

/** One file of an archive that is written. */
export interface TarFile {
  readonly name: string;
  readonly sizeBytes: number;
  /** Seconds since the epoch. */
  readonly modifiedAt: number;
}

/**
 * The header of a file in GNU tar's format ("ustar  "), of as many blocks as its name needs. Every file belongs to root,
 * who alone may read it. Throws a RangeError for a name that is longer than `mostNameBytes`.
 */
export function renderTarHeader({ name, sizeBytes, modifiedAt }: TarFile): Buffer {
  const bytes = Buffer.from(name);
  if (bytes.length >= mostNameBytes) throw new RangeError(`the name ${name.slice(0, 80)}… is too long for an archive`);
  if (bytes.length <= 100) return renderBlock(bytes, "0", sizeBytes, modifiedAt);
  const whole = Buffer.concat([bytes, Buffer.alloc(1)]);
  return Buffer.concat([
    renderBlock(Buffer.from(longName), "L", whole.length, 0),
    whole,
    Buffer.alloc(paddingAfter(whole.length)),
    renderBlock(bytes.subarray(0, 100), "0", sizeBytes, modifiedAt),
  ]);
}

/** How many zeros follow a content of so many bytes. */
export function paddingAfter(sizeBytes: number): number {
  return (tarBlockBytes - (sizeBytes % tarBlockBytes)) % tarBlockBytes;
}

function renderBlock(name: Uint8Array, type: "0" | "L", sizeBytes: number, modifiedAt: number): Buffer {
  const block = Buffer.alloc(tarBlockBytes);
  block.set(name, 0);
  block.write("0000600\0", 100);
  block.write("0000000\0", 108);
  block.write("0000000\0", 116);
  writeNumber(block, 124, 12, sizeBytes);
  writeNumber(block, 136, 12, modifiedAt);
  block.write(" ".repeat(8), 148);
  block.write(type, 156);
  block.write("ustar  \0", 257);
  block.write("root\0", 265);
  block.write("root\0", 297);
  block.write(`${sumOf(block).toString(8).padStart(6, "0")}\0 `, 148);
  return block;
}

/** In octal digits, or, where these do not suffice (8 GiB), in binary with the first bit set, as GNU tar does. */
function writeNumber(block: Buffer, offset: number, width: number, value: number): void {
  if (value <= mostOctal(width)) {
    block.write(`${value.toString(8).padStart(width - 1, "0")}\0`, offset);
    return;
  }
  block[offset] = 0x80;
  block.writeBigUInt64BE(BigInt(value), offset + width - 8);
}

/**
 * Reads one header of an archive of plain files. Throws a Failure (invalid) for whatever a backup never has: links,
 * devices, folders and other formats, and for a block that is damaged.
 *
 * @param block of 512 bytes
 */
export function parseTarHeader(block: Uint8Array): TarHeader {
  const bytes = Buffer.from(block.buffer, block.byteOffset, block.byteLength);
  if (bytes.length !== tarBlockBytes) throw invalid("a header of it is cut off");
  if (bytes.every((byte) => byte === 0)) return { kind: "end" };
  const sum = readNumber(bytes, 148, 8);
  if (sum !== sumOf(bytes)) throw invalid("a header of it is damaged");
  if (bytes.toString("latin1", 257, 265) !== "ustar  \0") throw invalid("it is no archive of Pallet's form");
  const type = String.fromCharCode(bytes[156] ?? 0);
  const sizeBytes = readNumber(bytes, 124, 12);
  if (sizeBytes === undefined) throw invalid("a header of it has no size");
  if (type === "L") {
    if (sizeBytes < 1 || sizeBytes > mostNameBytes) throw invalid("a name in it is too long");
    return { kind: "long-name", sizeBytes };
  }
  if (type !== "0") throw invalid(`it holds something that is no file (type ${JSON.stringify(type)})`);
  return { kind: "file", name: textUpToNul(bytes.subarray(0, 100)), sizeBytes };
}

/** The name in the content of a "long-name". Throws a Failure (invalid) when it is not UTF-8. */
export function parseLongName(content: Uint8Array): string {
  return textUpToNul(content);
}

/** The sum of a header's bytes, those of the sum itself taken as spaces. */
function sumOf(block: Uint8Array): number {
  let sum = 0;
  for (const [index, byte] of block.entries()) sum += index >= 148 && index < 156 ? 0x20 : byte;
  return sum;
}

function readNumber(bytes: Buffer, offset: number, width: number): number | undefined {
  if (bytes[offset] === 0x80) {
    if (bytes.subarray(offset + 1, offset + width - 8).some((byte) => byte !== 0)) return undefined;
    const value = Number(bytes.readBigUInt64BE(offset + width - 8));
    return Number.isSafeInteger(value) ? value : undefined;
  }
  const text = /^ *([0-7]+)[\0 ]*$/.exec(bytes.toString("latin1", offset, offset + width))?.[1];
  return text === undefined ? undefined : Number.parseInt(text, 8);
}

function textUpToNul(bytes: Uint8Array): string {
  const end = bytes.indexOf(0);
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(end < 0 ? bytes : bytes.subarray(0, end));
  } catch (cause) {
    throw new Failure("invalid", "a name in it is no UTF-8", { cause });
  }
}

function invalid(message: string): Failure {
  return new Failure("invalid", message);
}
