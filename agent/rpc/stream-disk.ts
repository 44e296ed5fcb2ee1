import { once } from "node:events";
import type { ServerDuplexStream } from "@grpc/grpc-js";
import type { MeantDisk } from "../../proto/disk/meant-disk.ts";
import { Failure } from "../../proto/failure.ts";
import type { ReadDiskRequest, ReadDiskResponse } from "../../proto/gen/pallet/v1/agent.ts";
import type { HeldDisk } from "../read/hold-disk.ts";
import { parseDiskParts, parseDiskToRead } from "./parse-disk-read.ts";

/**
 * Answers one ReadDisk: holds the disk while the call lasts, and reads no faster than the caller takes it. Rejects with
 * the Failure of a malformed request, of the guard, or of the disk.
 */
export async function streamDisk(
  call: ServerDuplexStream<ReadDiskRequest, ReadDiskResponse>,
  hold: (disk: MeantDisk, signal: AbortSignal) => Promise<HeldDisk>,
): Promise<void> {
  const abort = new AbortController();
  const { signal } = abort;
  // "close" comes as well where the connection is lost.
  for (const event of ["cancelled", "close"]) call.on(event, () => abort.abort());
  const say = async (part: ReadDiskResponse["part"]): Promise<void> => {
    signal.throwIfAborted();
    if (!call.write({ part })) await once(call, "drain", { signal });
  };
  let disk: HeldDisk | undefined;
  try {
    for await (const { part } of call.iterator({ destroyOnReturn: false }) as AsyncIterable<ReadDiskRequest>) {
      if (disk === undefined) {
        if (part?.$case !== "disk") throw new Failure("invalid", "the first message of ReadDisk must be its disk");
        disk = await hold(parseDiskToRead(part.value), signal);
        await say({ $case: "held", value: { sizeBytes: BigInt(disk.sizeBytes) } });
        continue;
      }
      if (part?.$case !== "read")
        throw new Failure("invalid", "after its disk, every message of ReadDisk must be parts");
      for await (const { offsetBytes, content } of disk.read(parseDiskParts(part.value), signal)) {
        const piece =
          "data" in content
            ? { content: { $case: "data" as const, value: content.data }, digest: content.digest }
            : { content: { $case: "zeroBytes" as const, value: BigInt(content.zeroBytes) }, digest: Buffer.alloc(0) };
        await say({ $case: "piece", value: { offsetBytes: BigInt(offsetBytes), ...piece } });
      }
      await say({ $case: "read", value: {} });
    }
    if (disk === undefined) throw new Failure("invalid", "the first message of ReadDisk must be its disk");
  } catch (error) {
    if (!signal.aborted) throw error;
  } finally {
    await disk?.close();
  }
  call.end();
}
