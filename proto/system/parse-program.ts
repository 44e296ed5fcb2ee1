import { type ElfHeader, elfHeaderBytes, findInterpreter, parseElfHeader } from "./parse-elf.ts";

/** The kind of an executable file. */
export type Program =
  | {
      readonly kind: "elf";
      readonly elf: ElfHeader;
      /** Path of the dynamic loader that it wants; undefined for a static one. */
      readonly interpreter: string | undefined;
    }
  /** Begins with "#!" (execve(2)): the system's own interpreter runs it, whatever the system is built for. */
  | { readonly kind: "script" }
  /** Not something that Linux on a little-endian machine can run. */
  | { readonly kind: "other" };

/** As much of a program as decides where it runs. */
export type ProgramNeeds =
  | {
      readonly kind: "elf";
      readonly elf: Pick<ElfHeader, "bits" | "machine">;
      readonly interpreter: string | undefined;
    }
  | Exclude<Program, { readonly kind: "elf" }>;

/** Reads a number of bytes of the file from an offset; fewer at its end. */
export type ReadBytes = (offsetBytes: number, lengthBytes: number) => Promise<Buffer>;

/** Longest path of a dynamic loader that is believed (PATH_MAX). */
const maxInterpreterBytes = 4096;

/** Determines what a program needs to run. Rejects only if reading does. */
export async function parseProgram(read: ReadBytes): Promise<Program> {
  const start = await read(0, elfHeaderBytes);
  const elf = parseElfHeader(start);
  if (elf === undefined) return { kind: start.toString("latin1", 0, 2) === "#!" ? "script" : "other" };
  const { offsetBytes, entryBytes, count } = elf.programHeaders;
  const place = findInterpreter(elf, await read(offsetBytes, entryBytes * count));
  if (place === undefined || place.lengthBytes > maxInterpreterBytes)
    return { kind: "elf", elf, interpreter: undefined };
  return { kind: "elf", elf, interpreter: (await read(place.offsetBytes, place.lengthBytes)).toString("utf8") };
}
