import { Failure } from "../../../proto/failure.ts";
import { maxImageBytes } from "../../../proto/pack/image-bounds.ts";

/** Signatures of the records of a ZIP archive (PKWARE's APPNOTE.TXT 6.3.10, section 4.3). */
export const zipSignatures = {
  file: 0x04034b50,
  descriptor: 0x08074b50,
  central: 0x02014b50,
  end64: 0x06064b50,
  locator64: 0x07064b50,
  end: 0x06054b50,
} as const;

/** Bytes of the fixed part of each record, its signature included. */
export const zipRecordBytes = { file: 30, central: 46, end64: 56, locator64: 20, end: 22 } as const;

/** What an archive says of its file; lengths in bytes. */
export interface ZipFile {
  readonly name: string;
  readonly method: "stored" | "deflated";
  /** These three are absent where they follow the content: the archive was written to a pipe. */
  readonly crc?: number;
  readonly compressedBytes?: number;
  readonly sizeBytes?: number;
}

const methods: Readonly<Record<number, string>> = {
  9: "Deflate64",
  12: "bzip2",
  14: "LZMA",
  93: "Zstandard",
  95: "xz",
  98: "PPMd",
};
const flags = { encrypted: 0x0001, descriptor: 0x0008, patched: 0x0020, strong: 0x0040, masked: 0x2000 };
const zip64Extra = 0x0001;
const in64 = 0xffffffff;
const unpack = "unpack it and add the .img file inside";

/** Lengths of what follows the fixed part of a file's header: its name, then the extra fields. */
export function tailLengths(header: Buffer): { readonly nameBytes: number; readonly extraBytes: number } {
  return { nameBytes: header.readUInt16LE(26), extraBytes: header.readUInt16LE(28) };
}

/**
 * Reads the header of a file in an archive (section 4.3.7). Throws Failure `unsupported` with the remedy for what
 * cannot be an image, or cannot be read from a stream.
 */
export function parseZipFile(header: Buffer, nameBytes: Buffer, extra: Buffer): ZipFile {
  const name = nameBytes.toString("utf8").replaceAll(/\p{C}/gu, "?");
  const flag = header.readUInt16LE(6);
  const method = header.readUInt16LE(8);
  if ((flag & (flags.encrypted | flags.strong | flags.masked)) !== 0) {
    throw unsupported(`is encrypted; decrypt it (unzip asks for the password) and add the .img file inside`);
  }
  if (name.endsWith("/")) throw severalFiles();
  if ((flag & flags.patched) !== 0) throw unsupported(`holds a patch, not a file; ${unpack}`);
  if (method !== 0 && method !== 8) {
    const how = methods[method] ?? `method ${method}`;
    throw unsupported(`holds ${JSON.stringify(name.slice(0, 80))} compressed with ${how}; ${unpack}`);
  }
  if ((flag & flags.descriptor) !== 0) {
    if (method === 0) throw unsupported(`does not say where its file ends; ${unpack}`);
    return { name, method: "deflated" };
  }
  const sizes = sizesOf(header.readUInt32LE(18), header.readUInt32LE(22), extra);
  if (sizes.sizeBytes > maxImageBytes) {
    throw unsupported(`holds a file of ${sizes.sizeBytes} bytes; an image has at most ${maxImageBytes}`);
  }
  // What is stored is as long as it is: nothing is read by a length that the other one contradicts.
  if (method === 0 && sizes.compressedBytes !== sizes.sizeBytes) throw damaged("its lengths contradict each other");
  return { name, method: method === 0 ? "stored" : "deflated", crc: header.readUInt32LE(14), ...sizes };
}

/** A file as the archive's directory at its end has it (section 4.3.12). */
export interface ZipEntry {
  readonly crc: number;
  readonly compressedBytes: number;
  readonly sizeBytes: number;
}

/** Lengths of what follows the fixed part of an entry: name, extra fields and comment. */
export function entryTailLengths(entry: Buffer): readonly [number, number, number] {
  return [entry.readUInt16LE(28), entry.readUInt16LE(30), entry.readUInt16LE(32)];
}

/** Reads an entry of the directory. */
export function parseZipEntry(entry: Buffer, extra: Buffer): ZipEntry {
  return { crc: entry.readUInt32LE(16), ...sizesOf(entry.readUInt32LE(20), entry.readUInt32LE(24), extra) };
}

/**
 * How long the record behind a file's content is that says the same of it as was found (section 4.3.9): with or without
 * signature, lengths in 32 or 64 bits. Undefined if none of the forms fits, so that the content is damaged.
 *
 * @param bytes the next 24 bytes, or what there is
 */
export function descriptorBytes(bytes: Buffer, { crc, compressedBytes, sizeBytes }: ZipEntry): number | undefined {
  const expected = (width: 4 | 8): Buffer => {
    const record = Buffer.alloc(4 + 2 * width);
    record.writeUInt32LE(crc, 0);
    for (const [index, value] of [compressedBytes, sizeBytes].entries()) {
      if (width === 8) record.writeBigUInt64LE(BigInt(value), 4 + 8 * index);
      else if (value <= in64) record.writeUInt32LE(value, 4 + 4 * index);
      else return Buffer.alloc(0);
    }
    return record;
  };
  const at = bytes.length >= 4 && bytes.readUInt32LE(0) === zipSignatures.descriptor ? [4, 0] : [0];
  for (const width of [8, 4] as const) {
    const record = expected(width);
    if (record.length === 0) continue;
    for (const start of at) {
      if (bytes.subarray(start, start + record.length).equals(record)) return start + record.length;
    }
  }
  return undefined;
}

/** The failure for an archive of something else than one image. */
export function severalFiles(): Failure {
  return unsupported(`holds a folder or several files; ${unpack}`);
}

/** The lengths of a header, in its ZIP64 field where they need 64 bits (section 4.5.3). */
function sizesOf(
  compressed: number,
  size: number,
  extra: Buffer,
): { readonly compressedBytes: number; readonly sizeBytes: number } {
  if (compressed !== in64 && size !== in64) return { compressedBytes: compressed, sizeBytes: size };
  let field: Buffer | undefined;
  for (let at = 0; at + 4 <= extra.length; at += 4 + extra.readUInt16LE(at + 2)) {
    if (extra.readUInt16LE(at) === zip64Extra) field = extra.subarray(at + 4, at + 4 + extra.readUInt16LE(at + 2));
  }
  let at = 0;
  const take = (value: number): number => {
    if (value !== in64) return value;
    if (field === undefined || field.length < at + 8) throw damaged("its lengths are missing");
    at += 8;
    const long = field.readBigUInt64LE(at - 8);
    // Two lengths past this could be taken for the same.
    if (long > BigInt(Number.MAX_SAFE_INTEGER)) throw damaged(`it has an impossible length, ${long} bytes`);
    return Number(long);
  };
  // The field has the uncompressed length first, unlike the header.
  const sizeBytes = take(size);
  return { compressedBytes: take(compressed), sizeBytes };
}

function unsupported(what: string): Failure {
  return new Failure("unsupported", `the ZIP archive ${what}`);
}

/** The failure for an archive that contradicts itself. */
export function damaged(what: string, cause?: unknown): Failure {
  return new Failure("image-damaged", `the ZIP archive is damaged or was cut short: ${what}`, { cause });
}
