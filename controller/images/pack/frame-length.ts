/** Lengths of the fields of a zstd frame's header by their flags (RFC 8878, section 3.1.1.1). */
const contentSizeBytes = [0, 2, 4, 8] as const;
const dictionaryIdBytes = [0, 1, 2, 4] as const;
const magicBytes = 4;
const blockHeaderBytes = 3;
const checksumBytes = 4;
const runLengthBlock = 1;

/** Where the zstd frame that `bytes` begin with ends, found by its block headers. Throws when they end before it. */
export function frameLength(bytes: Buffer): number {
  const descriptor = bytes.readUInt8(magicBytes);
  const isSingleSegment = (descriptor & 0x20) !== 0;
  const sizeFlag = descriptor >> 6;
  let position =
    magicBytes +
    1 +
    (isSingleSegment ? 0 : 1) +
    (dictionaryIdBytes[descriptor & 3] ?? 0) +
    (sizeFlag === 0 && isSingleSegment ? 1 : (contentSizeBytes[sizeFlag] ?? 0));
  for (let isLast = false; !isLast; ) {
    const header = bytes.readUIntLE(position, blockHeaderBytes);
    isLast = (header & 1) !== 0;
    position += blockHeaderBytes + (((header >> 1) & 3) === runLengthBlock ? 1 : header >> 3);
  }
  position += (descriptor & 4) === 0 ? 0 : checksumBytes;
  if (position > bytes.length) throw new RangeError("the frame goes on after the bytes");
  return position;
}
