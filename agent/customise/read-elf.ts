import { open } from "node:fs/promises";
import { ELF_HEADER_BYTES, type ElfHeader, findInterpreter, parseElfHeader } from "./elf.ts";

/** A program of this machine. */
export interface ProgramFile {
  readonly sizeBytes: number;
  /** Undefined when it is no ELF file. */
  readonly elf: ElfHeader | undefined;
  /** Path of the dynamic loader that it wants; undefined for a static one. */
  readonly interpreter: string | undefined;
}

/** Longest path of a dynamic loader that is believed. */
const MAX_INTERPRETER_BYTES = 4096;

/** Reads what has to be known of a program before it is copied to another system. */
export async function readProgramFile(path: string): Promise<ProgramFile> {
  const file = await open(path);
  const read = async (offsetBytes: number, lengthBytes: number): Promise<Buffer> => {
    const { bytesRead, buffer } = await file.read(Buffer.alloc(lengthBytes), 0, lengthBytes, offsetBytes);
    return buffer.subarray(0, bytesRead);
  };
  try {
    const { size: sizeBytes } = await file.stat();
    const elf = parseElfHeader(await read(0, ELF_HEADER_BYTES));
    if (elf === undefined) return { sizeBytes, elf, interpreter: undefined };
    const { offsetBytes, entryBytes, count } = elf.programHeaders;
    const place = findInterpreter(elf, await read(offsetBytes, entryBytes * count));
    if (place === undefined || place.lengthBytes > MAX_INTERPRETER_BYTES)
      return { sizeBytes, elf, interpreter: undefined };
    return { sizeBytes, elf, interpreter: (await read(place.offsetBytes, place.lengthBytes)).toString("utf8") };
  } finally {
    await file.close();
  }
}
