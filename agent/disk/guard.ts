import type { BlockDevice } from "../../proto/disk/block-device.ts";
import { findLineage, withDescendants } from "../../proto/disk/device-tree.ts";
import { Failure } from "../../proto/failure.ts";
import type { RootDevice } from "../inventory/node-facts.ts";

/** What somebody wants to overwrite. */
export interface GuardRequest {
  /** The device path as it was given. */
  readonly path: string;
  /** What realpath(3) makes of it; leave out when it does not exist. */
  readonly resolvedPath?: string | undefined;
  /** Where the running root is. */
  readonly root: Pick<RootDevice, "source" | "disk">;
  /** How many bytes have to fit. */
  readonly minBytes?: number | undefined;
  /** Whether a partition is accepted too (making a filesystem, unmounting), not only a whole disk. */
  readonly allowPartition?: boolean | undefined;
  /** What for: only overwriting needs a device that nobody uses and that takes writes. "overwrite" unless given. */
  readonly purpose?: "overwrite" | "unmount" | undefined;
}

/**
 * Decides whether a device may be overwritten (or unmounted), and returns it. The agent asks this before every operation that writes,
 * whatever the controller has planned.
 *
 * Throws a Failure that names device, finding and remedy: `not-a-disk` (relative, "..", symbolic link, unknown, a
 * partition, a drive without a medium, RAM, CD, or stacked on other devices), `holds-running-root`, `mounted`, `in-use`
 * (swap, LVM, RAID, crypt and every other holder), `read-only`, `too-small`.
 */
export function guardDisk(devices: readonly BlockDevice[], request: GuardRequest): BlockDevice {
  checkPath(request);
  const lineage = findLineage(devices, request.path);
  const device = lineage.at(-1);
  if (device === undefined) throw unknownDevice(devices, request.path);
  checkType(device, lineage, request.allowPartition === true);
  const stack = withDescendants(device);
  checkRoot(device, lineage, stack, request.root);
  if (request.purpose === "unmount") return device;
  checkMounts(device, stack);
  checkHolders(device, stack);
  checkWritable(device, lineage);
  checkSize(device, request.minBytes ?? 0);
  return device;
}

function checkPath({ path, resolvedPath }: GuardRequest): void {
  if (!path.startsWith("/"))
    throw new Failure("not-a-disk", `"${path}" is not an absolute path; give it like /dev/mmcblk0`);
  if (
    path
      .split("/")
      .slice(1)
      .some((part) => part === ".." || part === "." || part === "")
  )
    throw new Failure("not-a-disk", `"${path}" contains "..", "." or "//"; give the plain path, like /dev/mmcblk0`);
  if (resolvedPath !== undefined && resolvedPath !== path && !path.startsWith("/dev/mapper/"))
    throw new Failure(
      "not-a-disk",
      `${path} is a symbolic link, and links move; give ${resolvedPath} if you mean that`,
    );
}

function unknownDevice(devices: readonly BlockDevice[], path: string): Failure {
  const disks = devices.filter(isWholeDisk).map((disk) => disk.path);
  const known = disks.length === 0 ? "it has no disk at all" : `its disks are ${disks.join(", ")}`;
  return new Failure("not-a-disk", `this node has no block device ${path}; ${known}`);
}

function checkType(device: BlockDevice, lineage: readonly BlockDevice[], allowPartition: boolean): void {
  const refuse = (finding: string) => {
    throw new Failure("not-a-disk", `${device.path} is ${finding}`);
  };
  if (device.type === "part" && lineage.length === 2) {
    const disk = lineage.at(-2)?.path ?? "a disk";
    if (!allowPartition) refuse(`partition ${device.partitionNumber} of ${disk}, not a whole disk; give ${disk}`);
    return;
  }
  if (lineage.length > 1 || !/^(disk|loop)$/.test(device.type))
    refuse(`of type "${device.type}"${lineage.length > 1 ? ` on top of ${lineage.at(-2)?.path}` : ""}, not a disk`);
  if (/^(zram|ram)\d+$/.test(device.name)) refuse("memory, not a disk");
  if (/^mmcblk\d+(boot\d+|rpmb|gp\d+)$/.test(device.name))
    refuse("a hardware partition of an eMMC, not the disk; give the device without the suffix");
  if (device.sizeBytes === 0) refuse("a drive without a medium; insert one");
}

function checkRoot(
  device: BlockDevice,
  lineage: readonly BlockDevice[],
  stack: readonly BlockDevice[],
  root: GuardRequest["root"],
): void {
  const holder = stack.find((part) => part.mountpoints.includes("/") || part.path === root.source);
  // Which part of its disk holds the root may be unknown (/dev/root, an overlay's lower layer): then none may be touched.
  const diskHoldsIt = root.disk !== "" && lineage[0]?.path === root.disk;
  const elsewhereOnDisk =
    diskHoldsIt && lineage.length > 1 && lineage[0] !== undefined && isRootKnownIn(lineage[0], root);
  if (holder === undefined && (!diskHoldsIt || elsewhereOnDisk)) return;
  const where = holder === undefined || holder === device ? "" : ` (on ${holder.path})`;
  throw new Failure(
    "holds-running-root",
    `${device.path} holds the root filesystem that this node is running from${where}; ` +
      "boot the node into the agent over the network first",
  );
}

function isRootKnownIn(disk: BlockDevice, root: GuardRequest["root"]): boolean {
  return withDescendants(disk).some((part) => part.mountpoints.includes("/") || part.path === root.source);
}

function checkMounts(device: BlockDevice, stack: readonly BlockDevice[]): void {
  const swap = stack.find((part) => part.mountpoints.includes("[SWAP]"));
  if (swap !== undefined)
    throw new Failure("in-use", `${device.path} is in use: ${swap.path} is active swap; unmount ${device.path} first`);
  const mounted = stack.find((part) => part.mountpoints.length > 0);
  if (mounted !== undefined)
    throw new Failure(
      "mounted",
      `${device.path} is mounted: ${mounted.path} at ${mounted.mountpoints.join(", ")}; unmount ${device.path} first`,
    );
}

function checkHolders(device: BlockDevice, stack: readonly BlockDevice[]): void {
  const holder = stack.find((part) => part !== device && part.type !== "part");
  if (holder !== undefined)
    throw new Failure(
      "in-use",
      `${device.path} is in use: ${holder.path} (${holder.type}) is built on it; stop ${holder.path} first`,
    );
}

function checkWritable(device: BlockDevice, lineage: readonly BlockDevice[]): void {
  if (lineage.some((part) => part.readOnly))
    throw new Failure(
      "read-only",
      `${device.path} is read-only; if it is an SD card, slide the lock switch at its side, or replace a worn-out card`,
    );
}

function checkSize(device: BlockDevice, minBytes: number): void {
  if (device.sizeBytes < minBytes)
    throw new Failure(
      "too-small",
      `${device.path} has ${device.sizeBytes} bytes, ${minBytes} are needed; use a larger disk or a smaller image`,
      { expected: `at least ${minBytes} bytes`, found: `${device.sizeBytes} bytes` },
    );
}

function isWholeDisk(device: BlockDevice): boolean {
  return (device.type === "disk" || device.type === "loop") && device.sizeBytes > 0;
}
