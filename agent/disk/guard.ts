import type { BlockDevice } from "../../proto/disk/block-device.ts";
import { type DiskPurpose, type DiskRequest, judgeDisk } from "../../proto/disk/judge-disk.ts";
import { Failure } from "../../proto/failure.ts";

/** What to overwrite or unmount now, in the running system. */
export interface GuardRequest extends DiskRequest {
  readonly purpose?: Exclude<DiskPurpose, "overwrite-after-reboot"> | undefined;
}

/**
 * Decides whether a device may be overwritten (or unmounted), and returns it. The agent asks this before every
 * operation that writes, whatever the controller has planned.
 *
 * Throws the Failure of `judgeDisk`, which names device, finding and remedy.
 */
export function guardDisk(devices: readonly BlockDevice[], request: GuardRequest): BlockDevice {
  const verdict = judgeDisk(devices, request);
  if (verdict instanceof Failure) throw verdict;
  return verdict;
}
