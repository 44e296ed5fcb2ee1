import type { BlockDevice } from "./block-device.ts";

/** Kernel names of devices that lsblk(8) calls disks and that no system can be installed on. */
const impostors: readonly (readonly [name: RegExp, finding: string])[] = [
  [/^(zram|ram)\d+$/, "memory, not a disk"],
  [
    /^mmcblk\d+(boot\d+|rpmb|gp\d+)$/,
    "a hardware partition of an eMMC, not the disk; give the device without the suffix",
  ],
  [/^mtdblock\d+$/, "the board's flash memory, which may hold its firmware, not a disk"],
  [/^nbd\d+$/, "a network block device, whose data is on another machine, not a disk of this node"],
  [/^fd\d+$/, "a floppy drive, not a disk"],
];

/**
 * Whether a whole disk is an SD card or an eMMC: by its transport, which older kernels do not name, or the kernel's
 * name for it.
 */
export function isCard({ transport, name }: Pick<BlockDevice, "transport" | "name">): boolean {
  return transport === "mmc" || (transport === "" && /^mmcblk\d+$/.test(name));
}

/**
 * Why a device that is on no other is not a whole disk, to follow its path and "is"; undefined when it is one. A loop
 * device counts as a disk: it stands in for a card on machines without one.
 */
export function whyNotADisk({ type, name, sizeBytes }: BlockDevice): string | undefined {
  if (type !== "disk" && type !== "loop") return `of type "${type}", not a disk`;
  const impostor = impostors.find(([pattern]) => pattern.test(name));
  if (impostor !== undefined) return impostor[1];
  return sizeBytes === 0 ? "a drive without a medium; insert one" : undefined;
}
