import type { Image } from "../../../proto/gen/pallet/v1/image.ts";
import type { ImageSource, OperationSpec } from "../../../proto/operation/operation-spec.ts";
import type { ImageDigest, ManifestDigest } from "../../../proto/pack/digest.ts";

/** The write of an image as a rollout would ask for it, but with nothing of Pallet's put into the new system. */
export function planWrite(image: Image, imagesBase: string, device: string, full: boolean): OperationSpec {
  const { pack } = image;
  if (pack === undefined) throw new Error(`image ${image.name} is not stored as a pack`);
  const url = `${imagesBase}/images/${pack.manifestDigest}`;
  const manifestDigest = pack.manifestDigest as ManifestDigest;
  const source: ImageSource = {
    url: `${url}.zst`,
    storedBytes: Number(image.storedBytes),
    sizeBytes: Number(image.sizeBytes),
    digest: image.digest as ImageDigest,
    firstPartitionBytes: Math.min(...image.partitions.map(({ offsetBytes }) => Number(offsetBytes))),
    manifest: { url: `${url}.manifest`, digest: manifestDigest, manifestBytes: Number(pack.manifestBytes) },
  };
  return { kind: "write-image", device, source, full };
}
