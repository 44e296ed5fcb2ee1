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

/** The partition that `root=` names (Documentation/admin-guide/kernel-parameters; UUID and LABEL by an initramfs). */
export function selectRoot(word: string, partitions: readonly CardPartition[]): CardPartition | undefined {
  const [key = "", value = ""] = word.includes("=") ? word.split("=", 2) : ["DEVICE", word];
  const same = (found: string) => found !== "" && found.toLowerCase() === value.toLowerCase();
  switch (key.toUpperCase()) {
    case "PARTUUID":
      return partitions.find(({ partitionUuid }) => same(partitionUuid));
    case "UUID":
      return partitions.find(({ uuid }) => same(uuid));
    case "LABEL":
      return partitions.find(({ label }) => label === value);
    default:
      return partitions.find(({ number }) => value === `/dev/mmcblk0p${number}`);
  }
}
