import type { BlockDevice } from "../../../proto/disk/block-device.ts";
import { describeSize } from "../../../proto/disk/describe-size.ts";
import { withDescendants } from "../../../proto/disk/device-tree.ts";
import { Failure } from "../../../proto/failure.ts";
import type { NodeId } from "../../../proto/names/node-id.ts";
import { type DiskIdentity, identityOf, mayBeSameDisk } from "./disk-identity.ts";

/** What an operator saw of a node, and confirmed; see pallet.v1.SeenDisk. Plain data that survives JSON. */
export interface SeenDisk {
  readonly nodeId: NodeId;
  /** Absent when its disks could not be seen: then the only one that fits is meant, once its agent runs. */
  readonly disk?: {
    readonly path: string;
    readonly identity: DiskIdentity;
    /** See `claimsOf`. */
    readonly content: readonly string[];
  };
  /** Digest of the config that its profiles say; absent if they say nothing. */
  readonly config?: string;
}

/** What is seen of a node; the disk is absent while it is unknown. @param config digest of what its profiles say */
export function seenOn(nodeId: NodeId, disk: BlockDevice | undefined, config?: string): SeenDisk {
  const about = { nodeId, ...(config !== undefined && { config }) };
  if (disk === undefined) return about;
  return { ...about, disk: { path: disk.path, identity: identityOf(disk), content: claimsOf(disk) } };
}

/**
 * What a disk holds, in the same words from whichever system it is seen: without paths and mount points, which are that
 * system's, and without what is built on its partitions.
 */
export function claimsOf(disk: BlockDevice): readonly string[] {
  const describe = ({ filesystemType, label, uuid }: BlockDevice): string =>
    filesystemType === ""
      ? "content unknown"
      : [filesystemType, ...(label === "" ? [] : [JSON.stringify(label)]), uuid]
          .filter((word) => word !== "")
          .join(" ");
  const [, ...parts] = withDescendants(disk).filter((device) => device === disk || device.type === "part");
  if (parts.length === 0) return [`no partitions, ${describe(disk)}`];
  return parts.map((part) => `partition ${part.partitionNumber}: ${describeSize(part.sizeBytes)}, ${describe(part)}`);
}

/**
 * Why a disk may not be erased that the rule chooses now: it is not the one that was seen, or holds something else.
 * Undefined when it is what was confirmed, or when nothing was seen.
 *
 * @param name name of the node
 */
export function judgeSeen(name: string, now: BlockDevice, seen: SeenDisk | undefined): Failure | undefined {
  if (seen?.disk === undefined) return undefined;
  const { path, identity, content } = seen.disk;
  const again = `look at the plan again: controller reimage ${name} --dry-run`;
  if (!mayBeSameDisk(now, identity))
    return new Failure(
      "no-disk-chosen",
      `${name}: the disk to erase is another one than was confirmed, so nothing was erased; ${again}`,
      { expected: describeDisk(path, identity), found: describeDisk(now.path, now) },
    );
  const held = claimsOf(now);
  if (held.length === content.length && held.every((line, index) => line === content[index])) return undefined;
  return new Failure(
    "no-disk-chosen",
    `${name}: ${now.path} holds something else than what was confirmed to be erased, so nothing was erased; ${again}`,
    { expected: content.join("; "), found: held.join("; ") },
  );
}

function describeDisk(path: string, { sizeBytes, model, serial, cid }: DiskIdentity): string {
  return [path, describeSize(sizeBytes), model, serial, cid].filter((word) => word !== "").join(" ");
}
