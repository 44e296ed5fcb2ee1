import { Failure } from "../../../proto/failure.ts";
import { printable } from "../filesystems/printable.ts";
import { explainNoRoot, isUnsupportedKind } from "./explain-no-root.ts";

/** What was found in one partition of an image. */
export interface PartitionContent {
  readonly number: number;
  readonly lengthBytes: number;
  readonly partitionUuid: string;
  /** As blkid(8) names it; empty when nothing is known. */
  readonly filesystemType: string;
  readonly label: string;
  readonly uuid: string;
  /** For ext2, ext3 and ext4, the only ones that are looked into: whether a system could start from it. */
  readonly holds?: {
    /** An init program. */
    readonly init: boolean;
    /** os-release(5), fstab(5) or passwd(5). */
    readonly configuration: boolean;
  };
  /** Why it could not be read although its type is known. */
  readonly unreadable?: string;
}

/** Types that can hold a Linux root but that we do not read. */
const otherRootTypes: ReadonlySet<string> = new Set(["btrfs", "f2fs", "xfs", "squashfs", "erofs", "jfs", "nilfs2"]);

/**
 * Chooses the partition that holds the root filesystem, by what is in it and never by its position. A partition is a
 * candidate when it holds an init program and configuration, or when it has a filesystem that cannot be looked into. The
 * one that the image's own command line names is the root; where it names none, those that were looked into come before
 * the others, and exactly one must be left.
 *
 * @param rootWord the value of root= in the image's own kernel command line
 * @param fatFiles paths of the files on its FAT partitions
 * @throws Failure `unsupported` that lists what is in each partition, and says what to do with a system of a known kind
 */
export function chooseRootPartition(
  contents: readonly PartitionContent[],
  rootWord?: string,
  fatFiles: readonly string[] = [],
): number {
  const complete = contents.filter(({ holds }) => holds?.init && holds.configuration);
  const others = contents.filter(({ filesystemType }) => otherRootTypes.has(filesystemType));
  const named =
    rootWord === undefined ? [] : [...complete, ...others].filter((content) => isNamedBy(rootWord, content));
  const candidates = complete.length > 0 ? complete : others;
  const [only] = named.length === 1 ? named : candidates.length === 1 ? candidates : [];
  if (only !== undefined && !isUnsupportedKind({ partitions: contents })) return only.number;

  const sentence = explainNoRoot({ partitions: contents, fatFiles });
  const listing = contents.map((content) => `  ${content.number}: ${describe(content)}`).join("\n");
  const isAmbiguous = sentence === undefined && candidates.length > 1;
  const numbers = candidates.map(({ number }) => number).join(" and ");
  throw new Failure(
    "unsupported",
    isAmbiguous
      ? `partitions ${numbers} of the image could each be its root filesystem, and its kernel command line names ` +
          `${rootWord === undefined ? "none" : `"${printable(rootWord)}"`} (write root=… into its cmdline.txt); found:\n${listing}`
      : `${sentence === undefined ? "" : `${sentence}\n`}the image has no partition with a Linux root filesystem` +
          `${sentence === undefined ? "" : " that Pallet can boot"}; found:\n${listing}`,
    { expected: "exactly one root filesystem", found: `${candidates.length}` },
  );
}

/** Whether a root= value (Documentation/admin-guide/kernel-parameters.txt) means this partition. */
function isNamedBy(rootWord: string, content: PartitionContent): boolean {
  const byLink = /^\/dev\/disk\/by-(partuuid|uuid|label)\/(.+)$/.exec(rootWord);
  if (byLink !== null) return isNamedBy(`${byLink[1]?.toUpperCase()}=${byLink[2]}`, content);
  const tagged = /^(PARTUUID|UUID|LABEL|PARTLABEL)=(.+)$/.exec(rootWord);
  const value = (tagged?.[2] ?? "").replaceAll('"', "");
  switch (tagged?.[1]) {
    case "PARTUUID":
      return value.toLowerCase() === content.partitionUuid;
    case "UUID":
      return value.toLowerCase() === content.uuid.toLowerCase();
    case "LABEL":
      return value === content.label;
    default:
      return new RegExp(`^/dev/(mmcblk\\d+p|nvme\\d+n\\d+p|sd[a-z]|vd[a-z])${content.number}$`).test(rootWord);
  }
}

function describe({ filesystemType, label, lengthBytes, holds, unreadable }: PartitionContent): string {
  const size = `${Math.ceil(lengthBytes / (1024 * 1024))} MiB`;
  const named = label === "" ? "" : ` "${printable(label)}"`;
  if (filesystemType === "") return `${size}, unknown content`;
  if (filesystemType === "crypto_LUKS") return `${size}, encrypted (LUKS), which Pallet cannot read`;
  if (filesystemType === "LVM2_member") return `${size}, part of a volume group (LVM), which Pallet cannot read`;
  if (unreadable !== undefined) return `${size} ${filesystemType}${named}, unreadable: ${printable(unreadable)}`;
  if (holds === undefined) return `${size} ${filesystemType}${named}`;
  const found = [holds.init && "an init program", holds.configuration && "configuration"].filter(Boolean);
  return `${size} ${filesystemType}${named} with ${found.length > 0 ? found.join(" and ") : "neither an init program nor configuration"}`;
}
