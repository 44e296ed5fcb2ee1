import type { BlockDevice } from "../../../proto/disk/block-device.ts";
import { describeSize } from "../../../proto/disk/describe-size.ts";
import { isCard, whyNotADisk } from "../../../proto/disk/disk-kind.ts";
import { judgeDisk, type RunningRoot } from "../../../proto/disk/judge-disk.ts";
import { Failure } from "../../../proto/failure.ts";

/**
 * Chooses the disk to make an image of, from what the node's agent reports: the one that is named; else the SD card, when
 * there is exactly one; else the only disk. Loop devices count only when there is no real disk, and what the node runs
 * from does not count. A Failure says why there is none, as the agent's guard would.
 *
 * @param path the disk that the operator named, if he did
 */
export function selectCard(
  devices: readonly BlockDevice[],
  root: RunningRoot,
  path: string | undefined,
): BlockDevice | Failure {
  const judge = (device: string): BlockDevice | Failure => judgeDisk(devices, { path: device, root, purpose: "read" });
  if (path !== undefined) return judge(path);
  const all = devices.filter((device) => whyNotADisk(device) === undefined && device.path !== root.disk);
  const real = all.filter(({ type }) => type === "disk");
  const disks = real.length > 0 ? real : all;
  const cards = disks.filter(isCard);
  const [only, ...others] = cards.length > 0 ? cards : disks;
  if (only !== undefined && others.length === 0) return judge(only.path);
  if (only === undefined) return new Failure("no-disk-chosen", "the node has no disk; is its card inserted?");
  const found = [only, ...others].map((disk) => `${disk.path} (${describeSize(disk.sizeBytes)})`).join(", ");
  return new Failure("no-disk-chosen", `the node has several disks: ${found}; name one: --from NODE:${only.path}`, {
    found,
  });
}
