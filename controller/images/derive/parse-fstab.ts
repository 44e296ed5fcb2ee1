import type { Partition } from "../catalogue/image.ts";

/** Where a system mounts a partition, by its /etc/fstab. */
export interface MountedPartition {
  readonly number: number;
  /** Absolute, without a slash at its end: "/boot/firmware". */
  readonly mountpoint: string;
}

/**
 * Which partitions the lines of an fstab(5) mean, and where they are mounted. Lines that mean none of them are left
 * out, as are mountpoints that are not plain paths below the root.
 */
export function parseFstab(text: string, partitions: readonly Partition[]): MountedPartition[] {
  return text.split("\n").flatMap((line) => {
    const [source = "", mountpoint = ""] = line.trim().split(/\s+/);
    if (source.startsWith("#") || !/^(\/[A-Za-z0-9_-][A-Za-z0-9._-]*)+$/.test(mountpoint)) return [];
    const meant = partitions.find((partition) => isMeant(source, partition));
    return meant === undefined ? [] : [{ number: meant.number, mountpoint }];
  });
}

/** What an fstab(5) names by an id or label that none of the partitions has: "PARTUUID=0badcafe-02". */
export function unknownSources(text: string, partitions: readonly Partition[]): string[] {
  const sources = text.split("\n").map((line) => line.trim().split(/\s+/)[0] ?? "");
  return sources.filter(
    (source) => /^(PARTUUID|UUID|LABEL)=/.test(source) && !partitions.some((partition) => isMeant(source, partition)),
  );
}

function isMeant(source: string, { number, partitionUuid, uuid, label }: Partition): boolean {
  const [, tag, quoted = ""] = /^(PARTUUID|UUID|LABEL)=(.+)$/.exec(source) ?? [];
  const value = quoted.replaceAll('"', "");
  if (tag === "PARTUUID") return value.toLowerCase() === partitionUuid;
  if (tag === "UUID") return value !== "" && value.toLowerCase() === uuid.toLowerCase();
  if (tag === "LABEL") return value !== "" && value === label;
  return new RegExp(`^/dev/mmcblk\\d+p${number}$`).test(source);
}
