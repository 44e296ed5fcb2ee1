import type { DeriveImageRequest, DeriveImageResponse } from "../../../proto/gen/pallet/v1/controller.ts";
import type { DerivedImage, ImageDeriver } from "../../images/derive/image-deriver.ts";
import { imageToWire } from "../wire/image-to-wire.ts";
import { announcedBytes, type ClaimUpload, fileOf, headerOf, progressOf } from "./upload.ts";

const rpc = "DeriveImage";

/**
 * Derives the image whose new content a call brings: its header, then its bytes. Ending the iteration early, or the
 * signal, ends the work.
 */
export async function* deriveImage(
  requests: AsyncIterable<DeriveImageRequest>,
  signal: AbortSignal,
  deriver: ImageDeriver,
  claim: ClaimUpload,
  onDerived: (derived: DerivedImage) => void,
): AsyncGenerator<DeriveImageResponse> {
  const parts = requests[Symbol.asyncIterator]();
  const { name, from, fileBytes: announced, upload } = await headerOf(parts, rpc);
  const fileBytes = announcedBytes(announced);
  const { source, close } = await fileOf(parts, { upload, fileBytes }, rpc, claim);
  try {
    const derived = yield* progressOf(
      (workSignal, onProgress) =>
        deriver.derive({
          name,
          from,
          source,
          ...(fileBytes > 0 && { fileBytes }),
          signal: workSignal,
          onProgress,
        }),
      signal,
      fileBytes,
      (value): DeriveImageResponse => ({ part: { $case: "progress", value } }),
    );
    onDerived(derived);
    const { image, gain, notes } = derived;
    const value = {
      image: imageToWire(image),
      writeBytes: BigInt(gain.writeBytes),
      fetchBytes: BigInt(gain.fetchBytes),
      plainWriteBytes: gain.plainWriteBytes === undefined ? undefined : BigInt(gain.plainWriteBytes),
      notes: [...notes],
    };
    yield { part: { $case: "derived", value } };
  } finally {
    close();
  }
}
