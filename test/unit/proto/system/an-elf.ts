import assert from "node:assert/strict";
import { type ElfHeader, parseElfHeader } from "../../../../proto/system/parse-elf.ts";

/** A file that is an ELF for this machine as far as its headers say, little-endian, of so many bytes. */
export function anElf(options: {
  readonly machine: "arm" | "arm64" | "x64";
  /** Path of the dynamic loader; static when it is left out. */
  readonly interpreter?: string;
  readonly sizeBytes?: number;
}): Buffer {
  const { machine, interpreter, sizeBytes = 4096 } = options;
  const wide = machine !== "arm";
  const bytes = Buffer.alloc(sizeBytes);
  bytes.write("\x7fELF", 0, "latin1");
  bytes[4] = wide ? 2 : 1;
  bytes[5] = 1;
  bytes.writeUInt16LE({ arm: 40, x64: 62, arm64: 183 }[machine], 18);
  const [headers, entryBytes] = wide ? [64, 56] : [52, 32];
  if (wide) bytes.writeBigUInt64LE(BigInt(headers), 32);
  else bytes.writeUInt32LE(headers, 28);
  bytes.writeUInt16LE(entryBytes, wide ? 54 : 42);
  bytes.writeUInt16LE(interpreter === undefined ? 1 : 2, wide ? 56 : 44);
  bytes.writeUInt32LE(1, headers);
  if (interpreter !== undefined) {
    const entry = headers + entryBytes;
    bytes.writeUInt32LE(3, entry);
    const place = 1024;
    if (wide) bytes.writeBigUInt64LE(BigInt(place), entry + 8);
    else bytes.writeUInt32LE(place, entry + 4);
    if (wide) bytes.writeBigUInt64LE(BigInt(interpreter.length + 1), entry + 32);
    else bytes.writeUInt32LE(interpreter.length + 1, entry + 16);
    bytes.write(`${interpreter}\0`, place, "latin1");
  }
  return bytes;
}

/** The header of such a file. */
export function aHeader(machine: "arm" | "arm64" | "x64"): ElfHeader {
  const header = parseElfHeader(anElf({ machine }));
  assert.ok(header);
  return header;
}
