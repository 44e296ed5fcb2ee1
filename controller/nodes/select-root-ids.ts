import type { BlockDevice } from "../../proto/disk/block-device.ts";
import { withDescendants } from "../../proto/disk/device-tree.ts";
import { parseRootIds, type RootIds } from "../../proto/node/root-ids.ts";

/**
 * The ids of an image's root where it was written, from the block devices of the node: the partition with the root's
 * number and start, which growing leaves alone. Undefined when there is no such partition, or several and none of them
 * is known by its filesystem's UUID.
 *
 * @param disk path of the disk that was written; undefined: any
 * @param known the ids that it had before
 */
export function selectRootIds(
  devices: readonly BlockDevice[],
  root: { readonly number: number; readonly offsetBytes: number },
  { disk, known }: { readonly disk?: string; readonly known?: RootIds | undefined } = {},
): RootIds | undefined {
  const candidates = devices
    .filter((device) => disk === undefined || device.path === disk)
    .flatMap((device) => device.children)
    .filter((child) => child.partitionNumber === root.number && child.startBytes === root.offsetBytes);
  const [only, ...more] = candidates;
  const found = more.length === 0 ? only : candidates.find(({ uuid }) => uuid !== "" && uuid === known?.filesystemUuid);
  if (found === undefined) return undefined;
  const others = devices.flatMap(withDescendants).filter((device) => device.path !== found.path);
  const shared = (key: "uuid" | "partitionUuid") =>
    found[key] !== "" && others.some((device) => device[key].toLowerCase() === found[key].toLowerCase());
  const ids = parseRootIds({
    partitionUuid: found.partitionUuid,
    filesystemUuid: found.uuid,
    partitionUuidShared: shared("partitionUuid"),
    filesystemUuidShared: shared("uuid"),
  });
  return ids.partitionUuid === "" && ids.filesystemUuid === "" ? undefined : ids;
}
