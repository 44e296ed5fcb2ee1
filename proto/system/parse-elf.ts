/** What the header of an ELF file says (elf(5)). */
export interface ElfHeader {
  readonly bits: 32 | 64;
  /** e_machine. */
  readonly machine: number;
  /** Where the program headers are in the file. */
  readonly programHeaders: { readonly offsetBytes: number; readonly entryBytes: number; readonly count: number };
}

/** Bytes from the start of a file that `parseElfHeader` wants. */
export const elfHeaderBytes = 64;

const ptInterp = 3;
/** Bytes of a program header, of which Linux takes no other sizes, and not more of them together than 64 KiB (load_elf_phdrs). */
const programHeaderBytes = { 32: 32, 64: 56 } as const;
const maxTableBytes = 64 * 1024;

/**
 * The header of an ELF file for a little-endian machine, from the first bytes of the file; undefined for another file,
 * and for one whose program headers Linux would not read.
 */
export function parseElfHeader(bytes: Uint8Array): ElfHeader | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < elfHeaderBytes || view.getUint32(0) !== 0x7f45_4c46 || bytes[5] !== 1) return undefined;
  const machine = view.getUint16(18, true);
  const header = (bits: 32 | 64, offsetBytes: number, entryAt: number): ElfHeader | undefined => {
    const [entryBytes, count] = [view.getUint16(entryAt, true), view.getUint16(entryAt + 2, true)];
    // A file without any, as an object file is, may give no size either.
    const fits = count === 0 || (entryBytes === programHeaderBytes[bits] && entryBytes * count <= maxTableBytes);
    if (!fits || !Number.isSafeInteger(offsetBytes + maxTableBytes)) return undefined;
    return { bits, machine, programHeaders: { offsetBytes, entryBytes, count } };
  };
  if (bytes[4] === 1) return header(32, view.getUint32(28, true), 42);
  if (bytes[4] === 2) return header(64, Number(view.getBigUint64(32, true)), 54);
  return undefined;
}

/**
 * Where in the file the path of the dynamic loader stands, its final zero left out; undefined for a static program, and
 * where it stands nowhere in a file.
 */
export function findInterpreter(
  { bits, programHeaders }: ElfHeader,
  table: Uint8Array,
): { readonly offsetBytes: number; readonly lengthBytes: number } | undefined {
  const view = new DataView(table.buffer, table.byteOffset, table.byteLength);
  const count = programHeaders.count;
  const entryBytes = programHeaderBytes[bits];
  const word = (at: number): number => (bits === 64 ? Number(view.getBigUint64(at, true)) : view.getUint32(at, true));
  for (let entry = 0; (entry + 1) * entryBytes <= table.length && entry < count; entry++) {
    const start = entry * entryBytes;
    if (view.getUint32(start, true) !== ptInterp) continue;
    const [offset, size] = bits === 64 ? [8, 32] : [4, 16];
    const [offsetBytes, lengthBytes] = [word(start + offset), word(start + size) - 1];
    return lengthBytes > 0 && Number.isSafeInteger(offsetBytes + lengthBytes)
      ? { offsetBytes, lengthBytes }
      : undefined;
  }
  return undefined;
}

const emAarch64 = 183;
const machines: Readonly<Record<number, string>> = {
  3: "x86",
  40: "ARM",
  62: "x86-64",
  [emAarch64]: "ARM64",
  243: "RISC-V",
};

/** Whether it is for the 64-bit processors of a Raspberry Pi. */
export function isArm64({ bits, machine }: Pick<ElfHeader, "bits" | "machine">): boolean {
  return bits === 64 && machine === emAarch64;
}

/** "64-bit ARM64", for people. */
export function describeArchitecture({ bits, machine }: Pick<ElfHeader, "bits" | "machine">): string {
  return `${bits}-bit ${machines[machine] ?? `machine ${machine}`}`;
}
