import { describeSize } from "../../proto/disk/describe-size.ts";
import { type ExtSuperblock, parseExtSuperblock } from "./parse-ext-superblock.ts";

/** How to grow an ext filesystem. */
export interface ExtGrowth {
  /** Whether e2fsck(8) has to come first: resize2fs(8) wants it. */
  readonly check: boolean;
  /**
   * Whether to give it the feature uninit_bg, which every kernel since 2.6.28 knows. Without it resize2fs writes all
   * new inode tables: 1.9 GB on a card of 128 GB.
   */
  readonly leaveInodeTables: boolean;
  /** How long it becomes. */
  readonly blocks: number;
  readonly blockBytes: number;
  /** Why it does not get all of the partition, as a clause. */
  readonly limited?: string;
}

/** Most bytes of inode tables to write at once, where they cannot be left for later. */
const mostInodeTableBytes = 2 ** 30;

/**
 * How to grow an ext2, ext3 or ext4 to the length of its partition; or why not, as a clause.
 *
 * @param superblock its bytes on the card
 * @param old how long the partition was in the image
 * @param lengthBytes how long it is now
 */
export function planExtGrowth(
  superblock: Buffer,
  { oldBytes, lengthBytes }: { readonly oldBytes: number; readonly lengthBytes: number },
): ExtGrowth | { readonly whyNot: string } {
  const found = parseExtSuperblock(superblock);
  if (found === undefined) return { whyNot: "it holds no ext filesystem that the agent can read" };
  const { blocks, blockBytes, features } = found;
  if (blocks * blockBytes > oldBytes) return { whyNot: "its filesystem is longer than its partition" };
  if (features.unsafe.length > 0)
    return {
      whyNot: `its filesystem has the feature ${features.unsafe.join(" and ")}, with which it cannot be grown safely`,
    };
  const leaveInodeTables = features.ext4 && !features.groupChecksums;
  const wanted = Math.floor(lengthBytes / blockBytes);
  const most = leaveInodeTables || features.groupChecksums ? wanted : mostBlocks(found);
  const rest = { check: !found.checked, leaveInodeTables, blockBytes };
  if (most >= wanted) return { ...rest, blocks: wanted };
  return {
    ...rest,
    blocks: Math.max(most, blocks),
    limited:
      `its filesystem only to ${describeSize(Math.max(most, blocks) * blockBytes)}: more would take too long, as an ext2 or ` +
      "ext3 needs all its inode tables at once; run resize2fs on the node for the rest",
  };
}

function mostBlocks({ blocks, blocksPerGroup, inodeTableBytesPerGroup }: ExtSuperblock): number {
  const groups = Math.floor(mostInodeTableBytes / Math.max(1, inodeTableBytesPerGroup));
  return blocks + groups * blocksPerGroup;
}
