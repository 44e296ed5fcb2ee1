import type { BlockDevice } from "../../../proto/disk/block-device.ts";
import { Failure } from "../../../proto/failure.ts";
import { describeSize } from "./describe-size.ts";
import { type DiskIdentity, mayBeSameDisk } from "./disk-identity.ts";

/** What a disk must be. */
export interface DiskWish {
  /** The disk that the operator named, or that was chosen before. */
  readonly path?: string;
  /** What was at that path when it was chosen: in another boot the kernel may give the name to another disk. */
  readonly identity?: DiskIdentity;
  /** Size of the image in bytes. */
  readonly minBytes: number;
  /** Whole disk that the node runs from, "" when it is on none; absent when that does not matter (it will reboot first). */
  readonly rootDisk?: string;
  /** Whether what is mounted now will not be mounted when it comes to writing: the node will reboot first. */
  readonly ignoreUse?: boolean;
}

/**
 * Chooses the disk to erase, from what the node's agent reports; the agent's own guard has the last word.
 *
 * The disk is the one that was named. If none was: the SD card, when there is exactly one; else the only whole disk that
 * fits. An SD card that does not fit is refused and never leads to the next disk: that one may hold data. Loop devices
 * count only when there is no real disk.
 */
export function selectDisk(devices: readonly BlockDevice[], wish: DiskWish): BlockDevice | Failure {
  const disks = candidates(devices, wish.rootDisk);
  if (wish.path !== undefined) {
    const named = devices.find((device) => device.path === wish.path && isWholeDisk(device));
    if (wish.identity !== undefined && (named === undefined || !mayBeSameDisk(named, wish.identity))) {
      return anotherDisk(wish.path, named, wish.identity);
    }
    return named === undefined ? notADisk(devices, disks, wish.path) : (problemOf(named, wish) ?? named);
  }
  const [onlyCard, ...otherCards] = disks.filter(isCard);
  if (onlyCard !== undefined && otherCards.length === 0) return problemOf(onlyCard, wish) ?? onlyCard;
  const [onlyDisk, ...otherDisks] = disks;
  if (onlyDisk !== undefined && otherDisks.length === 0) return problemOf(onlyDisk, wish) ?? onlyDisk;
  const [fitting, ...otherFitting] = disks.filter((disk) => problemOf(disk, wish) === undefined);
  if (fitting !== undefined && otherFitting.length === 0) return fitting;
  return noDiskChosen(disks, wish);
}

/** Why this disk cannot be erased, or undefined. */
function problemOf(disk: BlockDevice, wish: DiskWish): Failure | undefined {
  if (wish.rootDisk === disk.path) {
    return new Failure("holds-running-root", `${disk.path} holds the root filesystem that the node runs from`);
  }
  if (disk.readOnly) {
    return new Failure("read-only", `${disk.path} refuses writes; look at the lock of the card or its adapter`);
  }
  if (disk.sizeBytes < wish.minBytes) {
    return new Failure(
      "too-small",
      `${disk.path} holds ${describeSize(disk.sizeBytes)} and the image needs ${describeSize(wish.minBytes)}`,
      { expected: String(wish.minBytes), found: String(disk.sizeBytes) },
    );
  }
  const used = wish.ignoreUse === true ? undefined : withDescendants(disk).find((part) => part.mountpoints.length > 0);
  if (used === undefined) return undefined;
  const where = used.mountpoints.join(", ");
  return used.mountpoints.includes("[SWAP]")
    ? new Failure("in-use", `${used.path} is in use as swap; switch it off first (swapoff ${used.path})`)
    : new Failure("mounted", `${used.path} is mounted at ${where}; unmount it first`, { found: where });
}

/** The disks to choose from; the one that the node runs from only when there is no other. */
function candidates(devices: readonly BlockDevice[], rootDisk: string | undefined): readonly BlockDevice[] {
  const disks = devices.filter((device) => isWholeDisk(device) && device.sizeBytes > 0);
  const free = disks.filter((disk) => disk.path !== rootDisk);
  const real = free.filter((disk) => disk.type === "disk");
  if (real.length > 0) return real;
  return free.length > 0 ? free : disks;
}

/** Compressed RAM, network block devices and the boot areas of eMMC call themselves disks too. */
function isWholeDisk({ type, name }: BlockDevice): boolean {
  if (type === "loop") return true;
  return type === "disk" && !/^(zram|ram|nbd|mtdblock|fd)\d|^mmcblk\d+(boot\d+|rpmb)$/.test(name);
}

function isCard({ transport, name }: BlockDevice): boolean {
  return transport === "mmc" || name.startsWith("mmcblk");
}

function anotherDisk(path: string, found: BlockDevice | undefined, chosen: DiskIdentity): Failure {
  const describe = ({ sizeBytes, model, serial, cid }: DiskIdentity): string =>
    [describeSize(sizeBytes), model, serial, cid].filter((word) => word !== "").join(" ");
  return new Failure(
    "no-disk-chosen",
    `${path} is not the disk any more that this reimage began to write: disks change names between boots, and cards get ` +
      "swapped; look at the disks of the node, then start another reimage",
    { expected: describe(chosen), found: found === undefined ? "no disk" : describe(found) },
  );
}

function notADisk(devices: readonly BlockDevice[], disks: readonly BlockDevice[], path: string): Failure {
  const part = devices.flatMap(withDescendants).find((device) => device.path === path);
  const what =
    part === undefined ? "is no block device of this node" : `is not a whole disk (lsblk calls it "${part.type}")`;
  return new Failure("not-a-disk", `${path} ${what}; its whole disks: ${list(disks)}`, {
    found: part?.type ?? "absent",
  });
}

function noDiskChosen(disks: readonly BlockDevice[], wish: DiskWish): Failure {
  if (disks.length === 0) return new Failure("no-disk-chosen", "the node has no disk; is its card inserted?");
  const judged = disks.map((disk) => `${describeDisk(disk)}${because(problemOf(disk, wish))}`).join("; ");
  return new Failure("no-disk-chosen", `the node has several disks; name the one to erase with --disk: ${judged}`);
}

function because(problem: Failure | undefined): string {
  return problem === undefined ? "" : ` [${problem.reason}]`;
}

function list(disks: readonly BlockDevice[]): string {
  return disks.length === 0 ? "none" : disks.map(describeDisk).join("; ");
}

function describeDisk(disk: BlockDevice): string {
  return [disk.path, describeSize(disk.sizeBytes), disk.transport, disk.model].filter((word) => word !== "").join(" ");
}

function withDescendants(device: BlockDevice): readonly BlockDevice[] {
  return [device, ...device.children.flatMap(withDescendants)];
}
