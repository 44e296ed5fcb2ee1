import { hash } from "node:crypto";
import { isExt } from "../../../proto/linux/ext-filesystem.ts";
import type { NodeId } from "../../../proto/names/node-id.ts";
import { maxFirmwareItems } from "../../../proto/operation/operation-limits.ts";
import type { CardIds } from "../../../proto/operation/operation-spec.ts";
import type { PartitionIdChange } from "../../../proto/system/installed-system.ts";
import type { Image, Partition } from "../../images/catalogue/image.ts";

const zeroGuid = "00000000-0000-0000-0000-000000000000";

/**
 * Ids for a card of an image whose own name nothing: libblkid(3) makes no PARTUUID of an MBR's disk id of 0, and of
 * GUIDs that are zero or there twice nobody knows which is meant. They follow from image, node and disk: the same image
 * again gets the same ones, and two disks of a node differ. Undefined when the image's ids are good.
 *
 * Of GUIDs that are there twice the root keeps its own: what names it is likely to mean it.
 */
export function planCardIds(
  image: Image,
  card: { readonly nodeId: NodeId; readonly disk: string },
): CardIds | undefined {
  const seed = (about: string): string => hash("sha256", JSON.stringify([image.digest, card.nodeId, card.disk, about]));
  const changes = image.partitionTable === "mbr" ? changesOfMbr(image, seed("disk")) : changesOfGpt(image, seed);
  if (changes.length === 0) return undefined;
  const root = image.partitions.find(({ number }) => number === image.rootPartition);
  return {
    partitions: changes,
    fatPartitions: image.partitions
      .filter(({ filesystemType }) => filesystemType === "vfat")
      .slice(0, maxFirmwareItems)
      .map(placeOf),
    ...(root !== undefined &&
      isExt(root.filesystemType) && { root: { ...placeOf(root), filesystemType: root.filesystemType } }),
  };
}

function placeOf({ offsetBytes, lengthBytes }: Partition) {
  return { offsetBytes, lengthBytes };
}

function changesOfMbr({ partitions }: Image, seed: string): readonly PartitionIdChange[] {
  if (!partitions.every(({ partitionUuid }) => partitionUuid.startsWith("00000000-"))) return [];
  const diskId = seed.slice(0, 8) === "00000000" ? "00000001" : seed.slice(0, 8);
  return partitions.map(({ number, partitionUuid }) => ({
    partitionNumber: number,
    imageUuid: partitionUuid,
    cardUuid: `${diskId}${partitionUuid.slice(8)}`,
  }));
}

function changesOfGpt(image: Image, seed: (about: string) => string): readonly PartitionIdChange[] {
  const isRoot = ({ number }: Partition): boolean => number === image.rootPartition;
  const rootFirst = image.partitions.toSorted((one, other) => Number(isRoot(other)) - Number(isRoot(one)));
  const seen = new Set([zeroGuid]);
  return rootFirst.flatMap(({ number, partitionUuid }) => {
    if (!seen.has(partitionUuid)) {
      seen.add(partitionUuid);
      return [];
    }
    return [{ partitionNumber: number, imageUuid: partitionUuid, cardUuid: guidFrom(seed(`partition ${number}`)) }];
  });
}

/** A GUID in the form of a random one (RFC 9562, version 4). */
function guidFrom(hex: string): string {
  const variant = ((Number.parseInt(hex.slice(16, 17), 16) & 0x3) | 0x8).toString(16);
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-${variant}${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}
