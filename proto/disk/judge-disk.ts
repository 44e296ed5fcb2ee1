import { Failure } from "../failure.ts";
import type { RootDevice } from "../node/node-facts.ts";
import type { BlockDevice } from "./block-device.ts";
import { describeSize } from "./describe-size.ts";
import { findLineage, withDescendants } from "./device-tree.ts";
import { whyNotADisk } from "./disk-kind.ts";
import { type DiskProtection, keepLabelOnly, refuseProtected } from "./protected-disk.ts";

/** What to overwrite, or to read. */
export interface DiskRequest {
  /** The device path as it was given. */
  readonly path: string;
  /** What realpath(3) makes of it, where that is known; leave out when it does not exist. */
  readonly resolvedPath?: string | undefined;
  /** Where the running root is. */
  readonly root: RunningRoot;
  /** How many bytes have to fit. */
  readonly minBytes?: number | undefined;
  /** The sectors, in bytes, in which the partition table that comes onto the disk counts; absent when none does. */
  readonly tableSectorBytes?: number | undefined;
  /** What protects disks besides `keepLabel`, which always does. */
  readonly protectedDisks?: DiskProtection | undefined;
  /** Whether a partition is accepted too (making a filesystem, unmounting), not only a whole disk. */
  readonly allowPartition?: boolean | undefined;
  /** "overwrite" unless given. */
  readonly purpose?: DiskPurpose | undefined;
}

/** The filesystem that a node runs from, as far as it matters here. */
export type RunningRoot = Pick<RootDevice, "source" | "disk">;

/**
 * What for. Overwriting needs a device that nobody uses and that takes writes.
 *
 * "overwrite-after-reboot" judges for a node that will reboot into the agent first. The running root, mounts, swap and
 * what is built on the disk (LVM, RAID, crypt, loop devices) are the running system's: they end with it, and count for
 * nothing. Should the agent's system take the disk into use again, the judgement there finds that. What the disk is,
 * its lock and its size stay.
 *
 * "read" needs a whole disk that nobody uses, or it would change while it is read. It may be locked, and protected:
 * protection is against writing.
 */
export type DiskPurpose = "overwrite" | "overwrite-after-reboot" | "unmount" | "read";

/**
 * The one decision whether a device may be erased, or read as a whole: the device, or why not. The controller chooses
 * disks by it and the agent's guard has the last word by it, before every operation that writes.
 *
 * A Failure names device, finding and remedy: `not-a-disk` (relative, "..", symbolic link, unknown, a partition, a
 * drive without a medium, RAM, CD, flash memory, a network block device, or stacked on other devices), `protected`,
 * `holds-running-root`, `mounted`, `in-use` (swap, LVM, RAID, crypt and every other holder), `read-only`, `too-small`,
 * `unsupported` (sectors of another size than the image's table counts in).
 */
export function judgeDisk(devices: readonly BlockDevice[], request: DiskRequest): BlockDevice | Failure {
  const { path, purpose = "overwrite", allowPartition = false, minBytes = 0, tableSectorBytes, root } = request;
  const { protectedDisks = keepLabelOnly } = request;
  const malformed = checkPath(request);
  if (malformed !== undefined) return malformed;
  const lineage = findLineage(devices, path);
  const device = lineage.at(-1);
  if (device === undefined) return unknownDevice(devices, path);
  const stack = withDescendants(device);
  const use = () => checkMounts(device, stack) ?? checkHolders(device, stack);
  const writes = purpose !== "unmount" && purpose !== "read";
  const problem =
    checkType(device, lineage, allowPartition) ??
    (writes ? refuseProtected(path, lineage[0] ?? device, protectedDisks) : undefined) ??
    (purpose === "overwrite-after-reboot" ? undefined : checkRoot(device, lineage, stack, root)) ??
    (purpose === "overwrite" || purpose === "read" ? use() : undefined) ??
    (writes
      ? (checkWritable(device, lineage) ?? checkSize(device, minBytes) ?? checkSectors(device, tableSectorBytes))
      : undefined);
  return problem ?? device;
}

function checkPath({ path, resolvedPath }: DiskRequest): Failure | undefined {
  if (!path.startsWith("/"))
    return new Failure("not-a-disk", `"${path}" is not an absolute path; give one like /dev/mmcblk0`);
  if (
    path
      .split("/")
      .slice(1)
      .some((part) => part === ".." || part === "." || part === "")
  )
    return new Failure("not-a-disk", `"${path}" contains "..", "." or "//"; give the plain path, like /dev/mmcblk0`);
  if (resolvedPath !== undefined && resolvedPath !== path && !path.startsWith("/dev/mapper/"))
    return new Failure(
      "not-a-disk",
      `${path} is a symbolic link, which may change; give ${resolvedPath} if you mean that`,
    );
  return undefined;
}

function unknownDevice(devices: readonly BlockDevice[], path: string): Failure {
  const disks = devices.filter((device) => whyNotADisk(device) === undefined).map((disk) => disk.path);
  const known = disks.length === 0 ? "it has no disks" : `its disks are ${disks.join(", ")}`;
  return new Failure("not-a-disk", `this node has no block device ${path}; ${known}`);
}

function checkType(device: BlockDevice, lineage: readonly BlockDevice[], allowPartition: boolean): Failure | undefined {
  const refusal = (finding: string) => new Failure("not-a-disk", `${device.path} is ${finding}`);
  const [disk, ...above] = lineage;
  if (disk === undefined || above.length === 0) {
    const finding = whyNotADisk(device);
    return finding === undefined ? undefined : refusal(finding);
  }
  if (device.type !== "part" || above.length > 1)
    return refusal(`of type "${device.type}" on top of ${lineage.at(-2)?.path}, not a disk`);
  if (!allowPartition)
    return refusal(`partition ${device.partitionNumber} of ${disk.path}, not a whole disk; give ${disk.path}`);
  const finding = whyNotADisk(disk);
  return finding === undefined ? undefined : refusal(`on ${disk.path}, which is ${finding}`);
}

function checkRoot(
  device: BlockDevice,
  lineage: readonly BlockDevice[],
  stack: readonly BlockDevice[],
  root: RunningRoot,
): Failure | undefined {
  const holder = stack.find((part) => part.mountpoints.includes("/") || part.path === root.source);
  // Which part of its disk holds the root may be unknown (/dev/root, an overlay's lower layer): then none may be
  // touched.
  const diskHoldsIt = root.disk !== "" && lineage[0]?.path === root.disk;
  const elsewhereOnDisk =
    diskHoldsIt && lineage.length > 1 && lineage[0] !== undefined && isRootKnownIn(lineage[0], root);
  if (holder === undefined && (!diskHoldsIt || elsewhereOnDisk)) return undefined;
  const where = holder === undefined || holder === device ? "" : ` (on ${holder.path})`;
  return new Failure(
    "holds-running-root",
    `${device.path} holds the root filesystem that this node is running from${where}; ` +
      "boot the node into the agent over the network first",
  );
}

function isRootKnownIn(disk: BlockDevice, root: RunningRoot): boolean {
  return withDescendants(disk).some((part) => part.mountpoints.includes("/") || part.path === root.source);
}

function checkMounts(device: BlockDevice, stack: readonly BlockDevice[]): Failure | undefined {
  const swap = stack.find((part) => part.mountpoints.includes("[SWAP]"));
  if (swap !== undefined)
    return new Failure("in-use", `${device.path} is in use: ${swap.path} is active swap; unmount ${device.path} first`);
  const mounted = stack.find((part) => part.mountpoints.length > 0);
  if (mounted === undefined) return undefined;
  const where = mounted.mountpoints.join(", ");
  return new Failure(
    "mounted",
    `${device.path} is mounted: ${mounted.path} at ${where}; unmount ${device.path} first`,
    { found: where },
  );
}

function checkHolders(device: BlockDevice, stack: readonly BlockDevice[]): Failure | undefined {
  const holder = stack.find((part) => part !== device && part.type !== "part");
  if (holder === undefined) return undefined;
  return new Failure(
    "in-use",
    `${device.path} is in use: ${holder.path} (${holder.type}) is built on it; stop ${holder.path} first`,
  );
}

function checkWritable(device: BlockDevice, lineage: readonly BlockDevice[]): Failure | undefined {
  if (!lineage.some((part) => part.readOnly)) return undefined;
  return new Failure(
    "read-only",
    `${device.path} is read-only; if it is an SD card, slide the lock switch on its side, or replace the card if it is worn out`,
  );
}

function checkSize(device: BlockDevice, minBytes: number): Failure | undefined {
  if (device.sizeBytes >= minBytes) return undefined;
  return new Failure(
    "too-small",
    `${device.path} has ${device.sizeBytes} bytes, but ${minBytes} are needed; use a larger disk or a smaller image ` +
      `(the disk: ${describeSize(device.sizeBytes)}, the image: ${describeSize(minBytes)})`,
    { expected: `at least ${minBytes} bytes`, found: `${device.sizeBytes} bytes` },
  );
}

/**
 * A partition table counts in the logical sectors of the disk that it was made for, and says nowhere how long those are:
 * on a disk with sectors of 4096 bytes (4Kn), the kernel takes each place of a table made for 512 for one eight times as
 * far on. An agent that does not know the length says 0.
 */
function checkSectors({ path, logicalSectorBytes }: BlockDevice, wanted: number | undefined): Failure | undefined {
  if (wanted === undefined || logicalSectorBytes === 0 || logicalSectorBytes === wanted) return undefined;
  return new Failure(
    "unsupported",
    `${path} has logical sectors of ${logicalSectorBytes} bytes, but the image was made for a disk with sectors of ` +
      `${wanted}, so its partitions would not be found; use another disk, or set the disk to sectors of ${wanted} bytes ` +
      "if it can be (NVMe: nvme format --lbaf)",
    { expected: `sectors of ${wanted} bytes`, found: `sectors of ${logicalSectorBytes} bytes` },
  );
}
