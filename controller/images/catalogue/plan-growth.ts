import { isExt } from "../../../proto/linux/ext-filesystem.ts";
import type { Growth } from "../../../proto/operation/operation-spec.ts";
import type { Image, Partition } from "./image.ts";

/** What growth asks of an image. */
export type GrowingImage = Pick<Image, "partitionTable" | "rootPartition" | "everything"> & {
  readonly partitions: readonly Pick<
    Partition,
    "number" | "offsetBytes" | "lengthBytes" | "filesystemType" | "countsWhole"
  >[];
};

/** What becomes of an image's root on a card that is larger. */
export type GrowthForecast =
  | { readonly kind: "grows" | "partition-only"; readonly number: number; readonly filesystemType: string }
  /** `why`: a clause about the root. */
  | { readonly kind: "stays"; readonly number: number; readonly why: string };

/**
 * What growth makes of an image's root: partition and filesystem grow, the partition only, or neither. The agent has the
 * last word, by the table and the filesystem that it finds.
 */
export function forecastGrowth({
  partitionTable,
  partitions,
  rootPartition,
  everything,
}: GrowingImage): GrowthForecast {
  const root = partitions.find(({ number }) => number === rootPartition);
  const stays = (why: string): GrowthForecast => ({ kind: "stays", number: rootPartition, why });
  if (root === undefined) return stays("the image has no such partition");
  const last = partitions.every(({ offsetBytes }) => offsetBytes <= root.offsetBytes);
  if (!last) return stays("it is not the last partition");
  if (partitionTable === "mbr" && root.number > 4) return stays("it is a logical partition");
  if (everything === true) return stays("the image was added with --everything, so something may read all of it");
  if (root.countsWhole !== undefined) return stays(root.countsWhole);
  const { number, filesystemType } = root;
  return { kind: isExt(filesystemType) ? "grows" : "partition-only", number, filesystemType };
}

/** The growth to ask an agent for; undefined when nothing grows. */
export function planGrowth(image: GrowingImage, endBytes?: number): Growth | undefined {
  const forecast = forecastGrowth(image);
  const root = image.partitions.find(({ number }) => number === image.rootPartition);
  if (forecast.kind === "stays" || root === undefined) return undefined;
  const { number: partitionNumber, offsetBytes, lengthBytes, filesystemType } = root;
  return { partitionNumber, offsetBytes, lengthBytes, filesystemType, ...(endBytes !== undefined && { endBytes }) };
}

/** The forecast as a sentence's clause: "grows to the end of the card, and its ext4 with it". */
export function describeGrowth(forecast: GrowthForecast, end = "the end of the card"): string {
  switch (forecast.kind) {
    case "grows":
      return `grows to ${end}, and its ${forecast.filesystemType} with it`;
    case "partition-only":
      return (
        `grows to ${end}, but not what is in it (${forecast.filesystemType || "unknown"}): ` +
        "grow that in the running system"
      );
    case "stays":
      return `does not grow: ${forecast.why}`;
  }
}
