import type { Logger } from "pino";
import type { MeantDisk } from "../../proto/disk/meant-disk.ts";
import { Failure } from "../../proto/failure.ts";
import { limits } from "../../proto/limits.ts";
import { blake3 } from "../../proto/pack/blake3.ts";
import type { admitDevice } from "../disk/admit-device.ts";
import type { Operations } from "../operations/operations.ts";
import { createBufferPool } from "../write/buffer-pool.ts";
import { inOrder } from "../write/in-order.ts";
import type { OpenDisk } from "../write/open-device.ts";
import { readFully } from "../write/transfer.ts";
import { type DiskPart, planSpans, type ReadSpan } from "./plan-spans.ts";
import { selectZeros } from "./select-zeros.ts";

/** A piece of what was wanted; see pallet.v1.DiskPiece. */
export interface DiskPiece {
  readonly offsetBytes: number;
  /** Its own memory. */
  readonly content: { readonly data: Uint8Array; readonly digest: Uint8Array } | { readonly zeroBytes: number };
}

/** A disk that nobody else gets meanwhile. */
export interface HeldDisk {
  readonly sizeBytes: number;
  /**
   * Reads parts, which are in ascending order. Throws a Failure "invalid" for a part past the end of the disk,
   * "device-error", or the signal's reason.
   */
  read(parts: readonly DiskPart[], signal: AbortSignal): AsyncIterable<DiskPiece>;
  close(): Promise<void>;
}

/** What holding a disk needs of the node. */
export interface HoldDiskParts {
  readonly operations: Pick<Operations, "hold">;
  readonly admitDevice: typeof admitDevice;
  readonly openDevice: OpenDisk;
  readonly log: Pick<Logger, "info">;
}

const spanBytes = limits.captures.pieceBytes.most;
const gapBytes = 64 * 1024;
/** The disk has the next request before what it has read is sent. */
const readsAtOnce = 3;

/**
 * Takes hold of a whole disk to read it: after the guard's word, past the page cache, and so that the kernel lets nobody
 * mount it (O_EXCL). Throws the guard's Failure, "device-busy" while something else has it, or "no-disk-chosen" for
 * another disk than the one that is meant.
 */
export async function holdDisk(
  meant: MeantDisk,
  { operations, admitDevice, openDevice, log }: HoldDiskParts,
  signal: AbortSignal,
): Promise<HeldDisk> {
  const release = operations.hold(meant.device);
  try {
    const disk = await admitDevice({ path: meant.device, purpose: "read" }, signal);
    const isOther = (key: "serial" | "cid"): boolean => meant[key] !== "" && disk[key] !== meant[key];
    if (disk.sizeBytes !== meant.sizeBytes || isOther("serial") || isOther("cid")) {
      const describe = ({ sizeBytes, serial, cid }: Omit<MeantDisk, "device">): string =>
        [`${sizeBytes} bytes`, serial, cid].filter((word) => word !== "").join(" ");
      throw new Failure(
        "no-disk-chosen",
        `${meant.device} is no longer the disk that was meant: disks change names, and cards get swapped; look at the ` +
          "disks of the node again",
        { expected: describe(meant), found: describe(disk) },
      );
    }
    const sectorBytes = disk.logicalSectorBytes;
    const device = await openDevice({ path: disk.path, sectorBytes, mode: "read", askDisk: () => () => undefined });
    log.info({ device: disk.path }, "the disk is held and read, for an image of it");
    const buffers = createBufferPool(readsAtOnce + 1, spanBytes);

    const readSpan = async (span: ReadSpan, stop: AbortSignal) => {
      const buffer = await buffers.take(stop);
      try {
        const { offsetBytes, lengthBytes } = span;
        await readFully(device, { buffer, bufferOffset: 0, lengthBytes, offsetBytes });
        return { span, buffer };
      } catch (error) {
        buffers.give(buffer);
        throw error;
      }
    };

    async function* read(parts: readonly DiskPart[], stop: AbortSignal): AsyncGenerator<DiskPiece> {
      const last = parts.at(-1);
      if (last !== undefined && last.offsetBytes + last.lengthBytes > disk.sizeBytes)
        throw new Failure(
          "invalid",
          `${disk.path} ends at byte ${disk.sizeBytes}, before the end of what is to be read`,
        );
      const ended = new AbortController();
      const either = AbortSignal.any([stop, ended.signal]);
      const underWay = new Set<Buffer<ArrayBuffer>>();
      const start = async (span: ReadSpan) => {
        const done = await readSpan(span, either);
        underWay.add(done.buffer);
        return done;
      };
      try {
        const spans = planSpans(parts, { spanBytes, gapBytes, sectorBytes });
        for await (const { span, buffer } of inOrder(spans, { atOnce: readsAtOnce, start })) {
          stop.throwIfAborted();
          for (const { offsetBytes, lengthBytes } of span.wanted) {
            const from = offsetBytes - span.offsetBytes;
            const bytes = buffer.subarray(from, from + lengthBytes);
            for (const stretch of selectZeros(bytes)) {
              const at = offsetBytes + stretch.start;
              // Its digest is of what came from the disk, the copy is what is sent.
              const found = bytes.subarray(stretch.start, stretch.end);
              yield stretch.isZero
                ? { offsetBytes: at, content: { zeroBytes: found.length } }
                : { offsetBytes: at, content: { digest: blake3(found), data: Buffer.from(found) } };
            }
          }
          underWay.delete(buffer);
          buffers.give(buffer);
        }
      } finally {
        // inOrder has waited for what was under way.
        ended.abort();
        for (const buffer of underWay) buffers.give(buffer);
      }
    }

    return {
      sizeBytes: disk.sizeBytes,
      read,
      async close() {
        try {
          await device.handle.close();
        } finally {
          release();
          log.info({ device: disk.path }, "the disk is no longer read");
        }
      },
    };
  } catch (error) {
    release();
    throw error;
  }
}
