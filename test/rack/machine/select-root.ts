import type { CardPartition } from "./card-partitions.ts";

/** Where the root filesystem of a boot is. */
export type Root = { readonly kind: "network" } | { readonly kind: "card"; readonly word: string };

/**
 * What `root=` of a kernel command line means for a Pi: its card, or, where nothing on the card is meant, the network.
 */
export function parseRoot(commandLine: string): Root {
  const word = /(?:^|\s)root=(\S+)/.exec(commandLine)?.[1];
  return word !== undefined && /^(PARTUUID=|UUID=|LABEL=|\/dev\/mmcblk)/i.test(word)
    ? { kind: "card", word }
    : { kind: "network" };
}

/**
 * The partition that `root=` names. An initrd asks libblkid, as `partitions` have it. A kernel by itself knows
 * PARTUUID= and devices only (block/early-lookup.c); of an MBR it forms the PARTUUID from a disk id of 0, too
 * (block/partitions/msdos.c), of which libblkid makes none.
 */
export function selectRoot(
  word: string,
  partitions: readonly CardPartition[],
  hasInitrd: boolean,
): CardPartition | undefined {
  const [key = "", value = ""] = word.includes("=") ? word.split("=", 2) : ["DEVICE", word];
  const same = (found: string) => found !== "" && found.toLowerCase() === value.toLowerCase();
  switch (key.toUpperCase()) {
    case "PARTUUID":
      return partitions.find(({ partitionUuid, number }) =>
        same(partitionUuid || (hasInitrd ? "" : `00000000-${number.toString(16).padStart(2, "0")}`)),
      );
    case "UUID":
      return hasInitrd ? partitions.find(({ uuid }) => same(uuid)) : undefined;
    case "LABEL":
      return hasInitrd ? partitions.find(({ label }) => label === value) : undefined;
    default:
      return partitions.find(({ number }) => value === `/dev/mmcblk0p${number}`);
  }
}
