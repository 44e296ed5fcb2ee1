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

/** Most blocks of descriptors for which others are moved: 500 GB of a filesystem of 4096-byte blocks, 8 of 1024. */
const movableBlocks = 63;

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
  const rest = { check: !found.checked, leaveInodeTables, blockBytes };
  const limits = [
    { most: blocksWithDescriptors(found), why: "there is no room for more group descriptors where they are" },
    ...(leaveInodeTables || features.groupChecksums
      ? []
      : [
          {
            most: blocksWithInodeTables(found),
            why: "more would take too long, as all inode tables have to be written",
          },
        ]),
  ].filter(({ most }) => most < wanted);
  const [limit] = limits.toSorted((one, other) => one.most - other.most);
  if (limit === undefined) return { ...rest, blocks: wanted };
  const most = Math.max(limit.most, blocks);
  return {
    ...rest,
    blocks: most,
    limited:
      `its filesystem has ${describeSize(most * blockBytes)} of that: ${limit.why}; run resize2fs on the node for the rest, ` +
      "which grows it while it is mounted",
  };
}

/**
 * How far the group descriptors reach. Beyond what is reserved for them, resize2fs(8) has to move what lies behind
 * them, in every copy: the card would have less in common with the image, and 1.47 may damage the resize inode ("Illegal
 * doubly indirect block"). Without that inode little has to be moved for a few blocks of them.
 */
function blocksWithDescriptors({
  blocks,
  blocksPerGroup,
  blockBytes,
  descriptorBytes,
  reservedBlocks = movableBlocks,
}: ExtSuperblock): number {
  const perBlock = Math.floor(blockBytes / descriptorBytes);
  const present = Math.ceil(Math.ceil(blocks / blocksPerGroup) / perBlock);
  return (present + reservedBlocks) * perBlock * blocksPerGroup;
}

function blocksWithInodeTables({ blocks, blocksPerGroup, inodeTableBytesPerGroup }: ExtSuperblock): number {
  const groups = Math.floor(mostInodeTableBytes / Math.max(1, inodeTableBytesPerGroup));
  return blocks + groups * blocksPerGroup;
}
