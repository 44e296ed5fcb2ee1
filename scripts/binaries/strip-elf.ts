/** What this reads of an ELF64 file's header and program headers: elf(5). */
const header = { magic: 0x7f454c46, class64: 2, littleEndian: 1, bytes: 64 } as const;
const loaded = 1;

/**
 * An executable without what is never loaded (symbols, debugging lines, the section table): everything after its
 * last loadable segment. As strip(1) does, for any architecture, without its Debian package for each of them.
 *
 * Throws on what is not a little-endian ELF64 file.
 */
export function stripElf(file: Uint8Array): Uint8Array {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  if (
    file.byteLength < header.bytes ||
    view.getUint32(0) !== header.magic ||
    view.getUint8(4) !== header.class64 ||
    view.getUint8(5) !== header.littleEndian
  ) {
    throw new Error("not a little-endian ELF64 file");
  }
  const tableOffset = Number(view.getBigUint64(32, true));
  const entryBytes = view.getUint16(54, true);
  const entryCount = view.getUint16(56, true);
  let end = tableOffset + entryBytes * entryCount;
  for (let index = 0; index < entryCount; index += 1) {
    const entry = tableOffset + index * entryBytes;
    if (view.getUint32(entry, true) !== loaded) continue;
    const offset = view.getBigUint64(entry + 8, true);
    const length = view.getBigUint64(entry + 32, true);
    end = Math.max(end, Number(offset + length));
  }
  if (end > file.byteLength)
    throw new Error(`the ELF file ends at ${file.byteLength}, before its last segment at ${end}`);

  // A copy: Buffer's slice would share the memory of what was given.
  const stripped = new Uint8Array(file.subarray(0, end));
  const written = new DataView(stripped.buffer);
  // e_shoff, e_shnum, e_shstrndx: there is no section table any more.
  written.setBigUint64(40, 0n, true);
  written.setUint16(60, 0, true);
  written.setUint16(62, 0, true);
  return stripped;
}
