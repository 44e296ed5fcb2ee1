import { Failure } from "../../proto/failure.ts";
import type { BlockDevice } from "../inventory/block-device.ts";
import type { OperationContext } from "../operations/executor.ts";
import type { ImageSource } from "../operations/operation.ts";
import { createBufferPool, intoBlocks } from "./blocks.ts";
import { checkImage, digestOf } from "./check-image.ts";
import { decompress } from "./decompress.ts";
import type { FetchSettings } from "./fetch-range.ts";
import { openDevice } from "./open-device.ts";
import { readFully } from "./transfer.ts";
import { withFetched } from "./with-fetched.ts";

/** What the comparison needs of the node. */
export interface VerifyImageParts {
  /** Rejects when the disk is in use, or cannot hold the image. */
  readonly guard: (path: string, minBytes: number, signal: AbortSignal) => Promise<BlockDevice>;
  readonly fetchSettings: FetchSettings;
}

/**
 * Compares a whole disk with an image, without writing. The image is read to its end even after a difference, because
 * only then it is known whether the disk differs ("verify-mismatch", with the first range that does) or what was
 * fetched is not the image ("image-damaged"). A disk whose new system was customised differs where that was done.
 */
export async function verifyImage(
  { device: path, source }: { readonly device: string; readonly source: ImageSource },
  parts: VerifyImageParts,
  context: OperationContext,
): Promise<void> {
  const { signal, progress } = context;
  const disk = await parts.guard(path, source.sizeBytes, signal);
  const device = await openDevice({ path: disk.path, sectorBytes: disk.logicalSectorBytes, mode: "read" });
  try {
    progress.enter("verifying", { read: source.storedBytes, verified: source.sizeBytes });
    const pool = createBufferPool(2);
    let difference: Failure | undefined;
    await withFetched(source, parts.fetchSettings, context, async (fetched) => {
      const image = checkImage(decompress(fetched, source.compression), source);
      const onDisk = pool.take();
      for await (const { buffer, offsetBytes, lengthBytes } of intoBlocks(image, 0, pool)) {
        const paddedBytes = Math.ceil(lengthBytes / device.sectorBytes) * device.sectorBytes;
        await readFully(device, { buffer: onDisk, bufferOffset: 0, lengthBytes: paddedBytes, offsetBytes });
        const [wanted, found] = [buffer.subarray(0, lengthBytes), onDisk.subarray(0, lengthBytes)];
        if (wanted.equals(found)) progress.add("verified", lengthBytes);
        else {
          difference ??= new Failure(
            "verify-mismatch",
            `${device.path} is not as the image: the ${lengthBytes} bytes at byte ${offsetBytes} differ, perhaps others too`,
            {
              range: { device: device.path, offsetBytes, lengthBytes },
              expected: digestOf(wanted),
              found: digestOf(found),
            },
          );
        }
        pool.give(buffer);
      }
    });
    if (difference !== undefined) throw difference;
  } finally {
    await device.handle.close();
  }
}
