import type { BlockDevice } from "../../../proto/disk/block-device.ts";
import { demandOfImage } from "../../../proto/disk/demand-of-image.ts";
import { describeSize } from "../../../proto/disk/describe-size.ts";
import { isCard, whyNotADisk } from "../../../proto/disk/disk-kind.ts";
import { judgeDisk, type RunningRoot } from "../../../proto/disk/judge-disk.ts";
import type { DiskProtection } from "../../../proto/disk/protected-disk.ts";
import { Failure, type FailureReason } from "../../../proto/failure.ts";
import { type DiskIdentity, mayBeSameDisk } from "./disk-identity.ts";
import { parseDiskRule } from "./parse-disk-rule.ts";

/** What a disk must be. */
export interface DiskCriteria {
  /** The disk that the operator named, by its path or by a rule (see `parseDiskRule`), or that was chosen before. */
  readonly path?: string;
  /** What was at that path when it was chosen: in another boot the kernel may give the name to another disk. */
  readonly identity?: DiskIdentity;
  /** Size of the image in bytes. */
  readonly minBytes: number;
  /** What the configuration protects; the agent's guard knows only `keepLabel`, which needs no setting. */
  readonly protectedDisks?: DiskProtection;
  /** What the node runs from. */
  readonly root: RunningRoot;
  /** Whether the node will reboot into the agent before it writes: then its use of the disks ends first. */
  readonly rebootsFirst?: boolean;
}

/**
 * Chooses the disk to erase, from what the node's agent reports, among those that the agent's guard would admit: one
 * judgement serves both. The agent asks it again when it comes to writing.
 *
 * The disk is the one that was named; a rule must leave no choice, whatever the disks fit for. If none was named: the SD card, when there is exactly one; else the only whole disk
 * that fits. An SD card that does not fit is refused and never leads to the next disk: that one may hold data. Loop
 * devices count only when there is no real disk.
 */
export function selectDisk(devices: readonly BlockDevice[], criteria: DiskCriteria): BlockDevice | Failure {
  const judge: Judge = (path) =>
    judgeDisk(devices, {
      ...demandOfImage(path, criteria.minBytes),
      root: criteria.root,
      protectedDisks: criteria.protectedDisks,
      purpose: criteria.rebootsFirst === true ? "overwrite-after-reboot" : "overwrite",
    });
  const rule = criteria.path === undefined ? undefined : parseDiskRule(criteria.path);
  if (rule !== undefined && criteria.path !== undefined) {
    const disks = devices.filter((device) => whyNotADisk(device) === undefined);
    const [meant, ...others] = disks.filter(rule);
    if (meant !== undefined && others.length === 0) return judge(meant.path);
    return notOneByRule(criteria.path, meant === undefined ? disks : [meant, ...others], meant !== undefined);
  }
  if (criteria.path !== undefined) {
    const named = devices.find((device) => device.path === criteria.path);
    if (criteria.identity !== undefined && (named === undefined || !mayBeSameDisk(named, criteria.identity))) {
      return anotherDisk(criteria.path, named, criteria.identity);
    }
    return judge(criteria.path);
  }
  const disks = candidates(devices, judge);
  const [onlyCard, ...otherCards] = disks.filter(isCard);
  if (onlyCard !== undefined && otherCards.length === 0) return judge(onlyCard.path);
  const [onlyDisk, ...otherDisks] = disks;
  if (onlyDisk !== undefined && otherDisks.length === 0) return judge(onlyDisk.path);
  const [fitting, ...otherFitting] = disks.filter((disk) => !(judge(disk.path) instanceof Failure));
  if (fitting !== undefined && otherFitting.length === 0) return fitting;
  return noDiskChosen(disks, judge);
}

type Judge = (path: string) => BlockDevice | Failure;

/** The disks to choose from; the one that the node runs from only when there is no other. */
function candidates(devices: readonly BlockDevice[], judge: Judge): readonly BlockDevice[] {
  const disks = devices.filter((device) => whyNotADisk(device) === undefined);
  const free = disks.filter(({ path }) => reasonOf(judge(path)) !== "holds-running-root");
  const real = free.filter((disk) => disk.type === "disk");
  if (real.length > 0) return real;
  return free.length > 0 ? free : disks;
}

function reasonOf(verdict: BlockDevice | Failure): FailureReason | undefined {
  return verdict instanceof Failure ? verdict.reason : undefined;
}

function anotherDisk(path: string, found: BlockDevice | undefined, chosen: DiskIdentity): Failure {
  const describe = ({ sizeBytes, model, serial, cid }: DiskIdentity): string =>
    [describeSize(sizeBytes), model, serial, cid].filter((word) => word !== "").join(" ");
  return new Failure(
    "no-disk-chosen",
    `${path} is no longer the disk that this reimage began to write: disks change names between boots, and cards get ` +
      "swapped; check the disks of the node, then start another reimage",
    { expected: describe(chosen), found: found === undefined ? "no disk" : describe(found) },
  );
}

function notOneByRule(rule: string, disks: readonly BlockDevice[], isAmbiguous: boolean): Failure {
  const found = disks.map(describeDisk).join("; ");
  if (isAmbiguous)
    return new Failure("no-disk-chosen", `the node has ${disks.length} disks that are "${rule}": ${found}`, { found });
  const has = disks.length === 0 ? "no disk" : found;
  return new Failure("no-disk-chosen", `the node has no disk that is "${rule}"; it has ${has}`, { found: has });
}

function noDiskChosen(disks: readonly BlockDevice[], judge: Judge): Failure {
  if (disks.length === 0) return new Failure("no-disk-chosen", "the node has no disk; is its card inserted?");
  const judged = disks.map((disk) => {
    const reason = reasonOf(judge(disk.path));
    return reason === undefined ? describeDisk(disk) : `${describeDisk(disk)} [${reason}]`;
  });
  return new Failure(
    "no-disk-chosen",
    `the node has several disks; name the one to erase with --disk: ${judged.join("; ")}`,
  );
}

function describeDisk(disk: BlockDevice): string {
  const serial = disk.serial === "" ? "" : `serial ${disk.serial}`;
  const words = [disk.path, describeSize(disk.sizeBytes), disk.transport, disk.model, serial];
  return words.filter((word) => word !== "").join(" ");
}
