import { createRawBlocks, type RawBlocks } from "../../../../../controller/images/formats/raw-blocks.ts";
import { isZero } from "../../../../../proto/pack/is-zero.ts";

/** What is known of an image once it was taken in. */
export function rawBlocksOf(image: Uint8Array, pieceBytes = 64 * 1024): RawBlocks {
  const blocks = createRawBlocks();
  for (let at = 0; at < image.length; at += pieceBytes) {
    const piece = image.subarray(at, at + pieceBytes);
    blocks.add(piece, isZero(piece));
  }
  return blocks;
}
