/** What growth has to know of an ext2, ext3 or ext4 (Documentation/filesystems/ext4/super.rst). */
export interface ExtSuperblock {
  readonly blockBytes: number;
  readonly blocks: number;
  readonly blocksPerGroup: number;
  readonly inodeTableBytesPerGroup: number;
  readonly descriptorBytes: number;
  /** Blocks behind the group descriptors that are kept for more of them; undefined without the feature resize_inode. */
  readonly reservedBlocks?: number;
  /** Whether nothing speaks for a check: unmounted cleanly, checked since it was last mounted, no journal to replay. */
  readonly checked: boolean;
  readonly features: ExtFeatures;
}

/** Features that decide. */
export interface ExtFeatures {
  /** Any that only ext4 has. */
  readonly ext4: boolean;
  /** Group descriptors with checksums, so that inode tables need not be initialised (uninit_bg, metadata_csum). */
  readonly groupChecksums: boolean;
  /** A name for each that keeps resize2fs(8) from growing it safely. */
  readonly unsafe: readonly string[];
}

/** Where it is in the filesystem, and how long it is. */
export const superblockAt = 1024;
export const superblockBytes = 1024;

const resizeInode = 0x10;
const state = { clean: 1, errors: 2 } as const;
const incompatible = { recover: 0x4, journalDevice: 0x8, extents: 0x40, is64bit: 0x80, flexGroups: 0x200 } as const;
const readOnlyCompatible = {
  groupChecksums: 0x10,
  bigAllocation: 0x200,
  metadataChecksums: 0x400,
  readOnly: 0x1000,
  sharedBlocks: 0x4000,
} as const;

/** Parses a superblock; undefined when it is none, or one with impossible sizes. */
export function parseExtSuperblock(bytes: Buffer): ExtSuperblock | undefined {
  if (bytes.length < superblockBytes || bytes.readUInt16LE(0x38) !== 0xef53) return undefined;
  const exponent = bytes.readUInt32LE(0x18);
  const blocksPerGroup = bytes.readUInt32LE(0x20);
  const [incompat, compatible] = [bytes.readUInt32LE(0x60), bytes.readUInt32LE(0x64)];
  const high = (incompat & incompatible.is64bit) === 0 ? 0 : bytes.readUInt32LE(0x150);
  const blocks = high * 2 ** 32 + bytes.readUInt32LE(4);
  if (exponent > 6 || blocksPerGroup === 0 || blocks === 0) return undefined;
  const inodeBytes = bytes.readUInt32LE(0x4c) === 0 ? 128 : bytes.readUInt16LE(0x58);
  const flags = bytes.readUInt16LE(0x3a);
  const unmounted = (flags & state.clean) !== 0 && (flags & state.errors) === 0;
  const [mountedAt, checkedAt, orphan] = [0x2c, 0x40, 0xe8].map((at) => bytes.readUInt32LE(at)) as [
    number,
    number,
    number,
  ];
  const has = (flag: number): boolean => (compatible & flag) !== 0;
  const descriptorBytes = (incompat & incompatible.is64bit) === 0 ? 32 : bytes.readUInt16LE(0xfe);
  if (descriptorBytes < 32 || descriptorBytes > blockBytesOf(exponent)) return undefined;
  return {
    blockBytes: blockBytesOf(exponent),
    blocks,
    descriptorBytes,
    ...((bytes.readUInt32LE(0x5c) & resizeInode) !== 0 && { reservedBlocks: bytes.readUInt16LE(0xce) }),
    blocksPerGroup,
    inodeTableBytesPerGroup: bytes.readUInt32LE(0x28) * inodeBytes,
    checked: unmounted && orphan === 0 && checkedAt >= mountedAt && (incompat & incompatible.recover) === 0,
    features: {
      ext4: (incompat & (incompatible.extents | incompatible.is64bit | incompatible.flexGroups)) !== 0,
      groupChecksums: has(readOnlyCompatible.groupChecksums) || has(readOnlyCompatible.metadataChecksums),
      unsafe: [
        ...((incompat & incompatible.journalDevice) !== 0 ? ["journal_dev"] : []),
        ...(has(readOnlyCompatible.bigAllocation) ? ["bigalloc"] : []),
        ...(has(readOnlyCompatible.readOnly) ? ["read-only"] : []),
        ...(has(readOnlyCompatible.sharedBlocks) ? ["shared_blocks"] : []),
      ],
    },
  };
}

function blockBytesOf(exponent: number): number {
  return 1024 << exponent;
}
