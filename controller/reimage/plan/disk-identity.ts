import type { BlockDevice } from "../../../proto/disk/block-device.ts";

/** By what a disk is known again after a reboot, when the kernel may have given its name to another. */
export type DiskIdentity = Pick<BlockDevice, "sizeBytes" | "model" | "serial" | "cid">;

/** What identifies a disk. Plain data that survives JSON. */
export function identityOf({ sizeBytes, model, serial, cid }: BlockDevice): DiskIdentity {
  return { sizeBytes, model, serial, cid };
}

/** Whether nothing speaks against the two being one. What the kernel does not tell speaks neither for nor against. */
export function mayBeSameDisk(one: DiskIdentity, other: DiskIdentity): boolean {
  if (one.sizeBytes !== other.sizeBytes) return false;
  return (["model", "serial", "cid"] as const).every((key) => {
    return one[key] === "" || other[key] === "" || one[key] === other[key];
  });
}
