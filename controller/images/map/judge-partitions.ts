import type { VeritySuperblock } from "./parse-verity.ts";
import type { FilesystemUsage } from "./unused-map.ts";
import { verityTypes } from "./verity-partition-types.ts";

/** A partition with a filesystem whose books can be read. */
export interface BookedPartition {
  readonly number: number;
  readonly usage: FilesystemUsage;
  /** The first byte of the image behind the filesystem, and in its partition, that is not zero. */
  readonly firstBehind?: number;
}

/** A partition as the table has it. */
export interface JudgedPartition {
  readonly number: number;
  readonly offsetBytes: number;
  readonly lengthBytes: number;
  readonly type: string;
  readonly filesystemType: string;
}

/** What is known of an image besides the books of its filesystems. */
export interface CoverageFacts {
  readonly partitions: readonly JudgedPartition[];
  readonly booked: readonly BookedPartition[];
  /** Numbers of the partitions with content that is not zero and that blkid(8) does not recognise. */
  readonly unrecognised: readonly number[];
  readonly verity: readonly VeritySuperblock[];
  /** The kernel command line that the image brings; empty if it brings none. */
  readonly commandLine: string;
  /** Files of its root filesystem that set up hashes of whole devices: see `hashTables`. */
  readonly hashTables: readonly string[];
  /** Whether the operator wants every block. */
  readonly everything: boolean;
}

/** Why a partition counts whole. */
export interface WholeReason {
  /** A clause. */
  readonly why: string;
  /** Whether dm-verity's hashes are of it for certain, not only perhaps: then nothing may be changed in it. */
  readonly isHashed: boolean;
}

/** veritytab(5) and integritytab(5). */
export const hashTables: readonly string[] = ["/etc/veritytab", "/etc/integritytab"];

/** What blkid(8) calls partitions that hold hashes of others. */
const hashTypes = ["DM_verity_hash", "DM_integrity"];

/**
 * systemd-veritysetup-generator(8), dm-init (Linux, Documentation/admin-guide/device-mapper/dm-init.rst), ChromeOS's
 * dm=, Android's verified boot, parameters of the module dm-verity.
 */
const hashWord =
  /(?:^|\s)"?((?:rd\.)?(?:roothash|usrhash|systemd\.verity[\w.]*|dm-mod\.create|dm|androidboot\.(?:vbmeta|verity)[\w.]*|dm[-_]verity\.\w+))=/;

/**
 * Which partitions nodes must hold whole, with the reason of each, a clause. The invariant: a block is left out only if
 * the books of its filesystem call it free **and** nothing else can read it. The second does not follow from the first:
 * a hash over the whole partition (dm-verity, a signature) covers free blocks too. So books count only where
 *
 * - behind the filesystem there are only zeros up to the end of its partition;
 * - no partition holds hashes that may be of this one, or something unknown that may be such hashes;
 * - neither the command line nor the root filesystem sets up hashes of whole devices.
 */
export function judgePartitions(facts: CoverageFacts): ReadonlyMap<number, WholeReason> {
  const whole = new Map<number, WholeReason>();
  for (const partition of facts.booked) {
    const reason = somethingBehind(partition, facts) ?? hashesOf(partition, facts) ?? setUpOver(facts);
    if (facts.everything) {
      const isHashed = reason?.isHashed === true;
      whole.set(partition.number, { why: "it was added with --everything", isHashed });
    } else if (reason !== undefined) whole.set(partition.number, reason);
  }
  return whole;
}

function certain(why: string): WholeReason {
  return { why, isHashed: true };
}

function possible(why: string): WholeReason {
  return { why, isHashed: false };
}

function somethingBehind({ usage, firstBehind }: BookedPartition, { verity }: CoverageFacts): WholeReason | undefined {
  if (firstBehind === undefined) return undefined;
  const place = `behind its filesystem, at byte ${firstBehind - usage.start} of the partition, is`;
  return verity.some(({ offsetBytes }) => offsetBytes === firstBehind)
    ? certain(`${place} a dm-verity hash tree`)
    : possible(`${place} data that may be hashes or a signature of the whole partition`);
}

/** Whether another place of the image holds hashes that are, or may be, of this partition. */
function hashesOf(partition: BookedPartition, facts: CoverageFacts): WholeReason | undefined {
  const { partitions, unrecognised, verity } = facts;
  const own = partitions.find(({ number }) => number === partition.number);
  for (const superblock of verity) {
    const covered = coveredBy(superblock, facts);
    if (covered === undefined)
      return possible(`the dm-verity hash tree at byte ${superblock.offsetBytes} of the image may be of any partition`);
    if (covered.includes(partition.number))
      return certain(`the dm-verity hash tree at byte ${superblock.offsetBytes} of the image is of its size`);
  }
  for (const other of partitions) {
    if (other.number === partition.number) continue;
    const types = verityTypes.find(({ hashes }) => hashes.includes(other.type));
    if (types !== undefined) {
      const isOfAnother = own?.type !== types.data && partitions.some(({ type }) => type === types.data);
      if (isOfAnother) continue;
      const why = `partition ${other.number} is for dm-verity's hashes of it, by its type`;
      return own?.type === types.data ? certain(why) : possible(why);
    }
    // The superblock has been looked at; only one that was not found leaves it open what is covered.
    const isUntold = !verity.some(({ offsetBytes }) => isIn(other, offsetBytes));
    if (hashTypes.includes(other.filesystemType) && isUntold)
      return possible(`partition ${other.number} holds hashes (${other.filesystemType})`);
    if (unrecognised.includes(other.number))
      return possible(`partition ${other.number} holds something unknown, which may be hashes of other partitions`);
  }
  return undefined;
}

/** The partitions that a hash tree fits exactly; undefined if there is none, so that it may be of any. */
function coveredBy({ dataBytes }: VeritySuperblock, { partitions, booked }: CoverageFacts): number[] | undefined {
  const fits = [
    ...partitions.filter(({ lengthBytes }) => lengthBytes === dataBytes),
    ...booked.filter(({ usage }) => usage.end - usage.start === dataBytes),
  ];
  return fits.length === 0 ? undefined : fits.map(({ number }) => number);
}

function setUpOver({ commandLine, hashTables: files }: CoverageFacts): WholeReason | undefined {
  const by = hashWord.exec(commandLine)?.[1];
  if (by !== undefined) return possible(`${by}= in the image's kernel command line sets up hashes of whole partitions`);
  return files[0] === undefined ? undefined : possible(`${files[0]} in the image sets up hashes of whole partitions`);
}

function isIn({ offsetBytes, lengthBytes }: JudgedPartition, at: number): boolean {
  return at >= offsetBytes && at < offsetBytes + lengthBytes;
}
