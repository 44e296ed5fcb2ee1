import { crc32 } from "node:zlib";
import { isZero } from "../../../proto/pack/is-zero.ts";

/** Bytes of a block, of which each is noted by itself. */
export const rawBlockBytes = 1 << 20;
const zeros = Buffer.alloc(rawBlockBytes);

/** What is known of a raw image since it was taken in, so that it is read again cheaply, and found unchanged. */
export interface RawBlocks {
  /** Whether every byte from `start` up to `end` is known to be zero; what is not need not be data. */
  isZero(start: number, end: number): boolean;
  /** Where the first block with other bytes than were taken in starts; `offset` is where a block of the image does. */
  firstChanged(offset: number, bytes: Uint8Array): number | undefined;
}

/** Notes the blocks of an image while it comes. */
export interface RawBlocksBuilder extends RawBlocks {
  /** The next bytes; they end within the block that they start in. */
  add(bytes: Uint8Array, areZero: boolean): void;
}

/**
 * Starts to take notes. A block's checksum is its CRC-32 (RFC 1952, section 8): it is to find a disk that forgets, at a
 * tenth of what SHA-256 costs, and nobody who means to deceive can write there.
 */
export function createRawBlocks(): RawBlocksBuilder {
  /** One for each block; "zero" where there is nothing else. */
  const checksums: (number | "zero")[] = [];
  let length = 0;
  return {
    add(bytes, areZero) {
      const begun = length % rawBlockBytes;
      const before = begun === 0 ? "zero" : (checksums.pop() ?? "zero");
      length += bytes.length;
      if (areZero && before === "zero") checksums.push("zero");
      else checksums.push(crc32(bytes, before === "zero" ? crc32(zeros.subarray(0, begun)) : before));
    },
    isZero(start, end) {
      for (let block = Math.floor(start / rawBlockBytes); block * rawBlockBytes < end; block += 1)
        if (checksums[block] !== "zero") return false;
      return true;
    },
    firstChanged(offset, bytes) {
      for (let start = 0; start < bytes.length; start += rawBlockBytes) {
        const block = bytes.subarray(start, start + rawBlockBytes);
        const expected = checksums[(offset + start) / rawBlockBytes];
        if (expected === "zero" ? !isZero(block) : crc32(block) !== expected) return offset + start;
      }
      return undefined;
    },
  };
}
