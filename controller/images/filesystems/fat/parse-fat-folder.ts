import type { FatEntry } from "./fat-volume.ts";

const entryBytes = 32;
const attribute = { label: 0x08, folder: 0x10, longName: 0x0f } as const;
const deleted = 0xe5;

/**
 * The entries of a folder (FAT specification, sections 6 and 7), without those of deleted files, "." and "..". Parts of
 * a long name stay with the entry that they belong to; parts that belong to none are dropped.
 */
export function parseFatFolder(bytes: Buffer, bits: 12 | 16 | 32): FatEntry[] {
  const entries: FatEntry[] = [];
  let parts: Buffer[] = [];
  for (let at = 0; at + entryBytes <= bytes.length; at += entryBytes) {
    const raw = bytes.subarray(at, at + entryBytes);
    const first = raw.readUInt8(0);
    if (first === 0) break;
    const attributes = raw.readUInt8(11);
    if (first !== deleted && (attributes & 0x3f) === attribute.longName) {
      // Number 0x40 is the last part of a name, which comes first.
      if ((first & 0x40) !== 0) parts = [];
      parts.push(raw);
      continue;
    }
    const named = parts.every((part) => part.readUInt8(13) === checksum(raw)) ? parts : [];
    parts = [];
    const short = raw.toString("latin1", 0, 11);
    if (first === deleted || short === ".          " || short === "..         ") continue;
    const isLabel = (attributes & attribute.label) !== 0;
    const isFolder = !isLabel && (attributes & attribute.folder) !== 0;
    // The upper half of the number means something else on FAT12 and FAT16.
    const high = bits === 32 ? raw.readUInt16LE(20) * 0x10000 : 0;
    entries.push({
      raw: Buffer.concat([...(isLabel ? [] : named), raw]),
      key: (isLabel || named.length === 0 ? short : longName(named)).toLowerCase(),
      kind: isLabel ? "label" : isFolder ? "folder" : "file",
      firstCluster: isLabel ? 0 : high + raw.readUInt16LE(26),
      sizeBytes: isLabel || isFolder ? 0 : raw.readUInt32LE(28),
    });
  }
  return entries;
}

/** The bytes of an entry that points at another first cluster. */
export function renderFatEntry(entry: FatEntry, firstCluster: number): Buffer {
  const bytes = Buffer.from(entry.raw);
  writeFirstCluster(bytes, bytes.length - entryBytes, firstCluster);
  return bytes;
}

/** "." and "..", with which every folder but the root begins; a parent that is the root counts as cluster 0. */
export function renderDotEntries(entry: FatEntry, own: number, parent: number): Buffer {
  const template = entry.raw.subarray(entry.raw.length - entryBytes);
  const dots = [".", ".."].map((name, index) => {
    const bytes = Buffer.from(template);
    bytes.write(name.padEnd(11), 0, "latin1");
    // How the folder's own name is to be shown: in lower case or not.
    bytes.writeUInt8(0, 12);
    writeFirstCluster(bytes, 0, index === 0 ? own : parent);
    return bytes;
  });
  return Buffer.concat(dots);
}

function writeFirstCluster(bytes: Buffer, at: number, cluster: number): void {
  bytes.writeUInt16LE(Math.floor(cluster / 0x10000), at + 20);
  bytes.writeUInt16LE(cluster % 0x10000, at + 26);
}

/** The sum of a short name by which the parts of its long one know it (section 7.2). */
function checksum(raw: Buffer): number {
  return raw.subarray(0, 11).reduce((sum, byte) => (((sum & 1) << 7) + (sum >> 1) + byte) & 0xff, 0);
}

function longName(parts: readonly Buffer[]): string {
  const text = parts
    .toReversed()
    .map(
      (part) => part.toString("utf16le", 1, 11) + part.toString("utf16le", 14, 26) + part.toString("utf16le", 28, 32),
    )
    .join("");
  const end = text.indexOf("\0");
  return end < 0 ? text : text.slice(0, end);
}
