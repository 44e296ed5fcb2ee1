import type { PartitionIdChange } from "../../proto/system/installed-system.ts";

/**
 * A kernel command line or an fstab(5) with the new PARTUUIDs in place of the old ones, as tags and as links of udev. An
 * id that several partitions had says nothing of which is meant: it stays.
 */
export function replaceIds(text: string, changes: readonly PartitionIdChange[]): string {
  return text.replaceAll(/(PARTUUID=["']?|\/by-partuuid\/)([0-9a-f-]+)/gi, (whole, before: string, uuid: string) => {
    const [change, ...others] = changes.filter(({ imageUuid }) => imageUuid === uuid.toLowerCase());
    return change === undefined || others.length > 0 ? whole : `${before}${change.cardUuid}`;
  });
}
