import { Failure } from "../../../proto/failure.ts";
import { limits } from "../../../proto/limits.ts";
import type { ReadBytes } from "../formats/partition-table.ts";
import { type Extent, type Extents, toExtents } from "../map/extents.ts";

/** Features that decide where the books are (Documentation/filesystems/ext4/super.rst). */
const incompatible = { journalDevice: 0x8, metaGroups: 0x10, is64bit: 0x80, multiMount: 0x100 } as const;
const hasJournal = 0x4;
const [superblockAt, superblockBytes] = [1024, 1024];
const [journalInode, mostInodes] = [8, 11];
const extentsFlag = 0x80000;
const extentMagic = 0xf30a;
const mostDepth = 5;

/**
 * Where an ext2, ext3 or ext4 has its books: what dumpe2fs(8) reads to say which blocks are free. That is the superblock,
 * the group descriptors, the bitmaps that these name, the reserved inodes, and the first block of the journal.
 *
 * Nothing hangs on this being right: what dumpe2fs finds in books that were not fetched contradicts the superblock's own
 * sums, and then no block counts as free.
 *
 * @param read reads the disk; may throw for what it does not have yet, and is then asked again
 * @param frame where the filesystem may be; all places are in it
 * @returns places on the disk. Throws Failure `unsupported` for books elsewhere, `image-damaged` for impossible ones
 */
export function parseExtBooks(
  read: ReadBytes,
  { offsetBytes, lengthBytes }: { readonly offsetBytes: number; readonly lengthBytes: number },
): Extents {
  const bytesAt = (at: number, length: number): Buffer => {
    if (!(at >= 0 && at + length <= lengthBytes)) throw damaged("its books are past the end of its partition");
    const bytes = read(offsetBytes + at, length);
    if (bytes.length < length) throw damaged("it ends before its books");
    return bytes;
  };
  const sb = bytesAt(superblockAt, superblockBytes);
  if (sb.readUInt16LE(0x38) !== 0xef53) throw damaged("it has no superblock");
  const [compat, incompat] = [sb.readUInt32LE(0x5c), sb.readUInt32LE(0x60)];
  const has = (feature: number): boolean => (incompat & feature) !== 0;
  if (has(incompatible.metaGroups)) throw unsupported("its group descriptors are spread over it (meta_bg)");
  if (has(incompatible.journalDevice)) throw unsupported("it is a journal of another one (journal_dev)");
  const exponent = sb.readUInt32LE(0x18);
  const blocksPerGroup = sb.readUInt32LE(0x20);
  if (exponent > 6 || blocksPerGroup === 0) throw damaged("its superblock has impossible sizes");
  const blockBytes = 1024 << exponent;
  const blocks = sb.readUInt32LE(4) + (has(incompatible.is64bit) ? sb.readUInt32LE(0x150) * 2 ** 32 : 0);
  const firstBlock = sb.readUInt32LE(0x14);
  const descriptorBytes = has(incompatible.is64bit) ? sb.readUInt16LE(0xfe) : 32;
  if (descriptorBytes < 32 || descriptorBytes > blockBytes) throw damaged("its descriptors have an impossible size");
  const inodeBytes = sb.readUInt32LE(0x4c) === 0 ? 128 : sb.readUInt16LE(0x58);
  if (inodeBytes < 128 || inodeBytes > blockBytes) throw damaged("its inodes have an impossible size");

  const groups = Math.ceil((blocks - firstBlock) / blocksPerGroup);
  if (!(groups > 0)) throw damaged("it has no blocks");
  if (groups * descriptorBytes > limits.captures.descriptorBytes.most) throw unsupported("it has too many groups");
  const tableAt = (firstBlock + 1) * blockBytes;
  const table = bytesAt(tableAt, groups * descriptorBytes);
  const place = (at: number, length: number): Extent => {
    if (!(at >= 0 && at + length <= lengthBytes)) throw damaged("a part of its books is past the end of its partition");
    return { start: offsetBytes + at, end: offsetBytes + at + length };
  };
  const block = (number: number): Extent => place(number * blockBytes, blockBytes);
  const numberIn = (group: number, low: number): number => {
    const at = group * descriptorBytes;
    // The upper halves stand in the same order, 32 bytes on.
    return table.readUInt32LE(at + low) + (descriptorBytes >= 64 ? table.readUInt32LE(at + low + 32) * 2 ** 32 : 0);
  };

  const books: Extent[] = [place(0, tableAt + Math.ceil((groups * descriptorBytes) / blockBytes) * blockBytes)];
  for (let group = 0; group < groups; group += 1) books.push(block(numberIn(group, 0)), block(numberIn(group, 4)));
  const inodes = numberIn(0, 8) * blockBytes;
  books.push(place(inodes, Math.ceil((mostInodes * inodeBytes) / blockBytes) * blockBytes));
  if (has(incompatible.multiMount)) books.push(block(sb.readUInt32LE(0x168)));
  if ((compat & hasJournal) !== 0 && sb.readUInt32LE(0xe0) === journalInode) {
    const inode = bytesAt(inodes + (journalInode - 1) * inodeBytes, 128);
    for (const number of wayToContent(inode, (number) => bytesAt(number * blockBytes, blockBytes)))
      books.push(block(number));
  }
  return toExtents(books);
}

/** The blocks that lead to the first block of a file, and that. None for a file of another making. */
function* wayToContent(inode: Buffer, readBlock: (number: number) => Buffer): Generator<number> {
  if ((inode.readUInt32LE(0x20) & extentsFlag) === 0) {
    yield inode.readUInt32LE(0x28);
    return;
  }
  let node = inode.subarray(0x28, 0x28 + 60);
  for (let steps = 0; steps <= mostDepth; steps += 1) {
    if (node.readUInt16LE(0) !== extentMagic || node.readUInt16LE(2) === 0) return;
    // An index and a leaf have the block's number in different places (Documentation/filesystems/ext4/ifork.rst).
    const isLeaf = node.readUInt16LE(6) === 0;
    const [low, high] = isLeaf ? [20, 18] : [16, 20];
    const number = node.readUInt16LE(high) * 2 ** 32 + node.readUInt32LE(low);
    yield number;
    if (isLeaf) return;
    node = readBlock(number);
  }
}

function unsupported(what: string): Failure {
  return new Failure("unsupported", `the free space of its ext filesystem cannot be trusted: ${what}`);
}

function damaged(what: string): Failure {
  return new Failure("image-damaged", `its ext filesystem contradicts itself: ${what}`);
}
