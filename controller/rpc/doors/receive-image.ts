import type { AddImageRequest, AddImageResponse } from "../../../proto/gen/pallet/v1/controller.ts";
import { digestForm, parseImageDigest } from "../../../proto/pack/digest.ts";
import type { Image } from "../../images/catalogue/image.ts";
import { invalid } from "../../refusal/refusal.ts";
import { imageToWire } from "../wire/image-to-wire.ts";
import type { ImageCatalogue } from "./parts.ts";
import { announcedBytes, type ClaimUpload, fileOf, headerOf, progressOf } from "./upload.ts";

const rpc = "AddImage";

/**
 * Imports the image that a call brings: its header, then its bytes. Bytes are taken from the network no faster than the
 * import reads them. Ending the iteration early, or the signal, ends the import.
 */
export async function* receiveImage(
  requests: AsyncIterable<AddImageRequest>,
  signal: AbortSignal,
  images: Pick<ImageCatalogue, "add">,
  claim: ClaimUpload,
  onAdded: (image: Image) => void,
): AsyncGenerator<AddImageResponse> {
  const parts = requests[Symbol.asyncIterator]();
  const header = await headerOf(parts, rpc);
  const fileBytes = announcedBytes(header.fileBytes);
  const expectedDigest = parseImageDigest(header.imageDigest);
  if (expectedDigest === undefined && header.imageDigest !== "")
    throw invalid(`the image_digest of an image must be ${digestForm}, or be left empty`);
  const { source, release, file, close } = await fileOf(parts, { upload: header.upload, fileBytes }, rpc, claim);
  try {
    const image = yield* progressOf(
      (importSignal, onProgress) =>
        images.add({
          name: header.name,
          source,
          ...(release && { release }),
          ...(file && { file }),
          ...(fileBytes > 0 && { fileBytes }),
          ...(header.blockMap.length > 0 && { blockMap: header.blockMap }),
          ...(header.everything && { everything: true }),
          ...(expectedDigest && { expectedDigest }),
          signal: importSignal,
          onProgress,
        }),
      signal,
      fileBytes,
      (value): AddImageResponse => ({ part: { $case: "progress", value } }),
    );
    onAdded(image);
    yield { part: { $case: "image", value: imageToWire(image) } };
  } finally {
    close();
  }
}
