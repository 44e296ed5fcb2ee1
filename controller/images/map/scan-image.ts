import type { FileHandle } from "node:fs/promises";
import { isZero } from "../../../proto/pack/is-zero.ts";
import {
  isVeritySuperblock,
  parseVeritySuperblock,
  type VeritySuperblock,
  verityMagic,
  veritySuperblockBytes,
} from "./parse-verity.ts";

/** A multiple of `veritySuperblockBytes`. */
const pieceBytes = 1 << 20;
/** The magic without the zeros at its end: in zeros, of which images have many, those would be searched byte by byte. */
const word = verityMagic.subarray(0, verityMagic.indexOf(0));
/** More are not looked at: one that fits no partition has all of them count already. */
const mostSuperblocks = 1000;

/** A raw image that is read. */
export interface ScannedImage {
  readonly file: FileHandle;
  /** Whether all of a range is known to be zero: it is not read then. By default nothing is known. */
  readonly isZero?: (start: number, end: number) => boolean;
}

/** The first byte from `start` up to `end` that is not zero; undefined if there is none. */
export async function findNonZero(
  image: ScannedImage,
  start: number,
  end: number,
  signal?: AbortSignal,
): Promise<number | undefined> {
  for await (const { at, bytes } of pieces(image, start, end, signal)) {
    if (!isZero(bytes)) return at + bytes.findIndex((byte) => byte !== 0);
  }
  return undefined;
}

/** The superblocks of dm-verity in an image, wherever they are: in a partition, behind one, or in a file. */
export async function findVeritySuperblocks(
  image: ScannedImage,
  imageBytes: number,
  signal?: AbortSignal,
): Promise<readonly VeritySuperblock[]> {
  const found: VeritySuperblock[] = [];
  for await (const { at, bytes } of pieces(image, 0, imageBytes, signal)) {
    if (isZero(bytes)) continue;
    for (let index = bytes.indexOf(word); index >= 0; index = bytes.indexOf(word, index + 1)) {
      const superblock = bytes.subarray(index, index + veritySuperblockBytes);
      if (index % veritySuperblockBytes !== 0 || !isVeritySuperblock(superblock)) continue;
      found.push(parseVeritySuperblock(superblock, at + index));
      if (found.length >= mostSuperblocks) return [...found, { offsetBytes: at + index }];
    }
  }
  return found;
}

/** The bytes from `start` up to `end` that are not known to be zero; each piece is gone when the next is asked for. */
async function* pieces(
  { file, isZero: isKnownZero = () => false }: ScannedImage,
  start: number,
  end: number,
  signal: AbortSignal | undefined,
): AsyncGenerator<{ readonly at: number; readonly bytes: Buffer }> {
  const buffer = Buffer.allocUnsafe(Math.min(pieceBytes, Math.max(end - start, 1)));
  for (let at = start; at < end; ) {
    signal?.throwIfAborted();
    let filled = 0;
    const wanted = Math.min(buffer.length, end - at);
    if (isKnownZero(at, at + wanted)) {
      at += wanted;
      continue;
    }
    while (filled < wanted) {
      const { bytesRead } = await file.read(buffer, filled, wanted - filled, at + filled);
      if (bytesRead === 0) return;
      filled += bytesRead;
    }
    yield { at, bytes: buffer.subarray(0, filled) };
    at += filled;
  }
}
