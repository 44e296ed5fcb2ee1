import { Failure } from "../failure.ts";
import type { BlockDevice } from "./block-device.ts";
import { withDescendants } from "./device-tree.ts";

/** A label that protects a disk without any setting. It fits every filesystem: FAT's labels have 11 characters. */
export const keepLabel = "PALLET-KEEP";

/** What else protects disks: labels of filesystems or partitions on them, and their serial numbers. */
export interface DiskProtection {
  readonly labels: readonly string[];
  readonly serials: readonly string[];
}

/** Nothing but `keepLabel`. An agent has no more: the settings are the controller's. */
export const keepLabelOnly: DiskProtection = { labels: [], serials: [] };

/**
 * Why nothing may be written to a disk, or to any part of it; undefined when nothing protects it. Labels and serial
 * numbers are compared whole, but for spaces around them and the case of letters: FAT keeps labels in capitals.
 *
 * @param path what was asked for: the disk, or a part of it
 */
export function refuseProtected(
  path: string,
  disk: BlockDevice,
  { labels, serials }: DiskProtection,
): Failure | undefined {
  for (const { path: found, label, partitionLabel, serial } of withDescendants(disk)) {
    const held: readonly (readonly [what: string, name: string])[] = [
      [`the filesystem on ${found}`, label],
      [`the partition ${found}`, partitionLabel],
    ];
    for (const [what, name] of held) {
      const remedy = remedyFor(name, labels);
      if (remedy !== undefined) return refusal(path, `${what} has the label "${name}"`, remedy);
    }
    if (serials.some((each) => isSame(each, serial)))
      return refusal(path, `${found} has the serial number ${serial}`, release("disks.protected.serials", serial));
  }
  return undefined;
}

/**
 * Why an image may not be written: it would protect the disk that it is written to, which nothing could write to
 * again; undefined when it would not.
 *
 * @param partitions their filesystems' labels and, in a GPT, their own
 */
export function refuseProtecting(
  imageName: string,
  partitions: readonly { readonly number: number; readonly label: string; readonly partitionLabel?: string }[],
  { labels }: DiskProtection,
): Failure | undefined {
  for (const { number, label, partitionLabel = "" } of partitions) {
    for (const name of [label, partitionLabel]) {
      const remedy = remedyFor(name, labels);
      if (remedy === undefined) continue;
      const finding = `its partition ${number} has the label "${name}"`;
      return new Failure(
        "protected",
        `a card with image ${imageName} on it would be protected, and could never be written again: ${finding}; ` +
          `${remedy}${isSame(keepLabel, name) ? ", and add the image again" : ""}`,
        { found: finding },
      );
    }
  }
  return undefined;
}

/** What lifts the protection by a name of this kind; undefined when nothing is protected by it. */
function remedyFor(name: string, labels: readonly string[]): string | undefined {
  if (labels.some((each) => isSame(each, name))) return release("disks.protected.labels", name);
  if (isSame(keepLabel, name)) return "give it another label by hand (e2label, fatlabel, sgdisk --change-name)";
  return undefined;
}

function refusal(path: string, finding: string, remedy: string): Failure {
  return new Failure(
    "protected",
    `${path} is protected, and nothing writes to it: ${finding}; choose another disk, or, if it may be erased, ${remedy}`,
    { found: finding },
  );
}

function release(setting: string, name: string): string {
  return `take "${name}" out of ${setting} in the controller's configuration`;
}

/** Nothing is the same as an empty name: most disks have none. */
function isSame(one: string, other: string): boolean {
  const plain = (text: string): string => text.trim().toLowerCase();
  return plain(one) !== "" && plain(one) === plain(other);
}
