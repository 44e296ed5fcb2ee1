import { Failure } from "../../../proto/failure.ts";
import { limits } from "../../../proto/limits.ts";
import { sectorBytes } from "../../../proto/pack/image-bounds.ts";
import type { Extent, Extents } from "../map/extents.ts";
import type { DiskPiece } from "./disk-reader.ts";

/** Holds what a node sends of its disk against what it was asked for. */
export interface PartFollower {
  /** Throws a Failure "verify-mismatch" for a piece that is not the next one. */
  take(piece: DiskPiece): void;
  /** Throws a Failure "verify-mismatch" when something is missing. */
  end(): void;
}

/** Follows pieces through the parts that were asked for: they come in order, without gaps, and no other ones. */
export function followParts(parts: Extents): PartFollower {
  let index = 0;
  let at = parts[0]?.start ?? 0;
  const differs = (found: string): Failure => {
    const part: Extent | undefined = parts[index];
    return new Failure("verify-mismatch", "the node sent something else of its disk than it was asked for", {
      expected: part === undefined ? "nothing more" : `bytes ${at} to ${part.end}`,
      found,
    });
  };
  return {
    take({ offsetBytes, lengthBytes, bytes }) {
      const part = parts[index];
      const found = `${lengthBytes} bytes at byte ${offsetBytes}`;
      const isWhole = Number.isSafeInteger(lengthBytes) && lengthBytes > 0 && lengthBytes % sectorBytes === 0;
      if (part === undefined || offsetBytes !== at || !isWhole || at + lengthBytes > part.end) throw differs(found);
      if (bytes !== undefined && bytes.length > limits.captures.pieceBytes.most) throw differs(found);
      at += lengthBytes;
      if (at < part.end) return;
      index += 1;
      at = parts[index]?.start ?? at;
    },
    end() {
      if (index < parts.length) throw differs("the end");
    },
  };
}
