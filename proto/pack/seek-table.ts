/**
 * The seek table at the end of a file of the zstd seekable format (zstd, contrib/seekable_format/
 * zstd_seekable_compression_format.md, version 0.1.0): a skippable frame (RFC 8878 section 3.1.2) that holds, for every
 * frame of the file, its compressed and its decompressed length, without checksums.
 */
const SKIPPABLE_MAGIC = 0x184d2a5e;
const SEEKABLE_MAGIC = 0x8f92eab1;
const HEADER_BYTES = 8;
const ENTRY_BYTES = 8;
const FOOTER_BYTES = 9;

/** Length of the seek table of so many frames, in bytes. */
export function seekTableBytes(frames: number): number {
  return HEADER_BYTES + ENTRY_BYTES * frames + FOOTER_BYTES;
}

/** One frame's lengths in bytes, as the seek table has them. */
export interface SeekTableEntry {
  readonly compressedBytes: number;
  readonly decompressedBytes: number;
}

/** The seek table as it stands at the end of the file. */
export function renderSeekTable(entries: readonly SeekTableEntry[]): Buffer {
  const table = Buffer.alloc(seekTableBytes(entries.length));
  let at = table.writeUInt32LE(SKIPPABLE_MAGIC, 0);
  at = table.writeUInt32LE(table.length - HEADER_BYTES, at);
  for (const { compressedBytes, decompressedBytes } of entries) {
    at = table.writeUInt32LE(compressedBytes, at);
    at = table.writeUInt32LE(decompressedBytes, at);
  }
  at = table.writeUInt32LE(entries.length, at);
  // Descriptor: bit 7 would announce checksums.
  at = table.writeUInt8(0, at);
  table.writeUInt32LE(SEEKABLE_MAGIC, at);
  return table;
}
