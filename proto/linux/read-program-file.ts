import { open } from "node:fs/promises";
import { type Program, parseProgram } from "../system/parse-program.ts";

/** A program in this machine's filesystem. */
export interface ProgramFile {
  readonly sizeBytes: number;
  readonly program: Program;
}

/**
 * Reads what we need to know about a program before it is copied into another system. Rejects with the errors of
 * open(2) and read(2).
 */
export async function readProgramFile(path: string): Promise<ProgramFile> {
  const file = await open(path);
  try {
    const { size: sizeBytes } = await file.stat();
    const program = await parseProgram(async (offsetBytes, lengthBytes) => {
      const { bytesRead, buffer } = await file.read(Buffer.alloc(lengthBytes), 0, lengthBytes, offsetBytes);
      return buffer.subarray(0, bytesRead);
    });
    return { sizeBytes, program };
  } finally {
    await file.close();
  }
}
