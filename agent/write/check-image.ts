import { createHash, hash } from "node:crypto";
import { Failure } from "../../proto/failure.ts";
import type { Digest, ImageSource } from "../operations/operation.ts";
import type { Block } from "./blocks.ts";

/**
 * Passes the image's bytes on, and throws a Failure "image-damaged" instead of passing on one byte too many, or in the
 * place of a regular end when bytes are missing or their SHA-256 is not that of the image.
 */
export async function* checkImage(
  source: AsyncIterable<Uint8Array>,
  { sizeBytes, digest }: Pick<ImageSource, "sizeBytes" | "digest">,
): AsyncGenerator<Uint8Array, void, undefined> {
  const sha256 = createHash("sha256");
  let seenBytes = 0;
  for await (const bytes of source) {
    seenBytes += bytes.length;
    if (seenBytes > sizeBytes) {
      throw new Failure("image-damaged", "what was fetched is not the image: it is longer", {
        expected: `${sizeBytes} bytes`,
        found: `at least ${seenBytes} bytes`,
      });
    }
    sha256.update(bytes);
    yield bytes;
  }
  if (seenBytes < sizeBytes) {
    throw new Failure("image-damaged", "what was fetched is not the image: it is truncated", {
      expected: `${sizeBytes} bytes`,
      found: `${seenBytes} bytes`,
    });
  }
  const found = sha256.digest("hex");
  if (found !== digest) {
    throw new Failure("image-damaged", "what was fetched is not the image: its SHA-256 differs", {
      expected: digest,
      found,
    });
  }
}

/** What one range of the device has to hold. */
export interface ChunkDigest {
  readonly offsetBytes: number;
  readonly lengthBytes: number;
  readonly digest: Digest;
}

/** Passes blocks on and keeps the digest of each, in order, for the comparison with what will be read back. */
export async function* recordDigests(
  blocks: AsyncIterable<Block>,
  record: (chunk: ChunkDigest) => void,
): AsyncGenerator<Block, void, undefined> {
  for await (const block of blocks) {
    const { offsetBytes, lengthBytes } = block;
    record({ offsetBytes, lengthBytes, digest: digestOf(block.buffer.subarray(0, lengthBytes)) });
    yield block;
  }
}

/** SHA-256 in lower-case hexadecimal. */
export function digestOf(bytes: Uint8Array): Digest {
  return hash("sha256", bytes) as Digest;
}
