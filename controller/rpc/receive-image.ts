import type { AddImageHeader, AddImageRequest, AddImageResponse } from "../../proto/gen/pallet/v1/controller.ts";
import type { Image } from "../images/image.ts";
import { invalid } from "../refusal.ts";
import { imageToWire } from "./image-to-wire.ts";
import type { ImageCatalogue, ImportProgress } from "./parts.ts";

const maxChunkBytes = 1024 * 1024;
/** Progress is sent at most this often, in milliseconds. */
const progressEveryMs = 250;

/**
 * Imports the image that a call brings: its header, then its bytes. Bytes are taken from the network no faster than the
 * import reads them. Ending the iteration early, or the signal, ends the import.
 */
export async function* receiveImage(
  requests: AsyncIterable<AddImageRequest>,
  signal: AbortSignal,
  images: Pick<ImageCatalogue, "add">,
  onAdded: (image: Image) => void,
): AsyncGenerator<AddImageResponse> {
  const parts = requests[Symbol.asyncIterator]();
  const header = await headerOf(parts);
  const fileBytes = Number(header.fileBytes);
  const left = new AbortController();
  let latest: ImportProgress | undefined;
  const source = chunksOf(parts, fileBytes);
  const added = images.add({
    name: header.name,
    source,
    ...(fileBytes > 0 && { fileBytes }),
    ...(header.blockMap.length > 0 && { blockMap: header.blockMap }),
    signal: AbortSignal.any([signal, left.signal]),
    onProgress: (progress) => {
      latest = progress;
    },
  });
  try {
    while (!(await settledWithin(added, progressEveryMs))) {
      if (latest === undefined) continue;
      const received = { done: BigInt(latest.receivedBytes), total: BigInt(fileBytes) };
      yield { part: { $case: "progress", value: { step: latest.step, received } } };
      latest = undefined;
    }
    const image = await added;
    onAdded(image);
    yield { part: { $case: "image", value: imageToWire(image) } };
  } finally {
    left.abort();
    // The import has to have cleaned up before the call ends. Its error, if any, is on its way to the caller already.
    await added.catch(() => undefined);
  }
}

async function headerOf(parts: AsyncIterator<AddImageRequest>): Promise<AddImageHeader> {
  const first = await parts.next();
  if (first.done === true || first.value.part?.$case !== "header") {
    throw invalid("the first message of AddImage must be its header");
  }
  return first.value.part.value;
}

async function* chunksOf(parts: AsyncIterator<AddImageRequest>, fileBytes: number): AsyncGenerator<Uint8Array> {
  let receivedBytes = 0;
  for (let next = await parts.next(); next.done !== true; next = await parts.next()) {
    const { part } = next.value;
    if (part?.$case !== "chunk") throw invalid("after its header, every message of AddImage must be a chunk");
    if (part.value.length > maxChunkBytes) {
      throw invalid(`a chunk of ${part.value.length} bytes is too large; send at most ${maxChunkBytes}`);
    }
    receivedBytes += part.value.length;
    if (part.value.length > 0) yield part.value;
  }
  if (fileBytes > 0 && receivedBytes !== fileBytes) {
    throw invalid(`the file was announced with ${fileBytes} bytes and ${receivedBytes} came; send it again`);
  }
}

/** Whether the promise settles within so many milliseconds. */
async function settledWithin(promise: Promise<unknown>, ms: number): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<boolean>((resolve) => {
    timer = setTimeout(resolve, ms, false);
  });
  const settled = (): boolean => true;
  try {
    return await Promise.race([promise.then(settled, settled), late]);
  } finally {
    clearTimeout(timer);
  }
}
