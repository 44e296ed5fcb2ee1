/**
 * The seek table at the end of a file of the zstd seekable format (zstd, contrib/seekable_format/
 * zstd_seekable_compression_format.md, version 0.1.0): a skippable frame (RFC 8878 section 3.1.2) that holds, for every
 * frame of the file, its compressed and its decompressed length, without checksums.
 */
const skippableMagic = 0x184d2a5e;
const seekableMagic = 0x8f92eab1;
const headerBytes = 8;
const entryBytes = 8;
const footerBytes = 9;

/** Length of the seek table for a number of frames, in bytes. */
export function seekTableBytes(frames: number): number {
  return headerBytes + entryBytes * frames + footerBytes;
}

/** One frame's lengths in bytes, as the seek table has them. */
export interface SeekTableEntry {
  readonly compressedBytes: number;
  readonly decompressedBytes: number;
}

/** The seek table as it stands at the end of the file. */
export function renderSeekTable(entries: readonly SeekTableEntry[]): Buffer {
  const table = Buffer.alloc(seekTableBytes(entries.length));
  let at = table.writeUInt32LE(skippableMagic, 0);
  at = table.writeUInt32LE(table.length - headerBytes, at);
  for (const { compressedBytes, decompressedBytes } of entries) {
    at = table.writeUInt32LE(compressedBytes, at);
    at = table.writeUInt32LE(decompressedBytes, at);
  }
  at = table.writeUInt32LE(entries.length, at);
  // Descriptor: bit 7 would announce checksums.
  at = table.writeUInt8(0, at);
  table.writeUInt32LE(seekableMagic, at);
  return table;
}
