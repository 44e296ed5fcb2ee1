import type { BlockDevice } from "../../proto/disk/block-device.ts";
import { withDescendants } from "../../proto/disk/device-tree.ts";

/**
 * Whether erasing the device takes away the installed system: it is the partition with its root, or what that lies on.
 *
 * @param root number and start of the root's partition in the image
 */
export function holdsSystem(
  devices: readonly BlockDevice[],
  device: string,
  root: { readonly number: number; readonly offsetBytes: number },
): boolean {
  const erased = devices.flatMap(withDescendants).filter(({ path }) => path === device);
  return erased
    .flatMap(withDescendants)
    .some((each) => each.partitionNumber === root.number && each.startBytes === root.offsetBytes);
}
