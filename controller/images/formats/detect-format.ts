import { Failure } from "../../../proto/failure.ts";
import { hasBootSignature } from "./boot-record.ts";
import { isBootRecord } from "./parse-mbr.ts";

/** What the bytes of a file are: a raw disk image, or one compressed. */
export type ImageFormat = "raw" | "gzip" | "xz" | "zstd" | "zip";

/** How many bytes of a file detection looks at; fewer only where the file is shorter. */
export const detectionBytes = 36 * 1024;

interface Magic {
  readonly offset: number;
  readonly bytes: string;
}

const compressed: readonly (Magic & { readonly format: ImageFormat })[] = [
  { format: "gzip", offset: 0, bytes: "\x1f\x8b\x08" },
  { format: "xz", offset: 0, bytes: "\xfd7zXZ\0" },
  { format: "zstd", offset: 0, bytes: "\x28\xb5\x2f\xfd" },
  { format: "zip", offset: 0, bytes: "PK\x03\x04" },
  // A skippable frame first, as pzstd and the seekable format's tools write it (RFC 8878, section 3.1.2).
  ...[..."\x50\x51\x52\x53\x54\x55\x56\x57\x58\x59\x5a\x5b\x5c\x5d\x5e\x5f"].map(
    (first) => ({ format: "zstd", offset: 0, bytes: `${first}\x2a\x4d\x18` }) as const,
  ),
];

const unpack = "unpack it and add the .img file inside";
const convert = "convert it first: qemu-img convert -O raw FILE disk.img";

const refused: readonly (Magic & { readonly what: string; readonly remedy: string })[] = [
  { offset: 0, bytes: "PK\x05\x06", what: "an empty ZIP archive", remedy: "fetch the image again" },
  {
    offset: 0,
    bytes: "PK\x07\x08",
    what: "the first part of a ZIP archive",
    remedy: "unpack all parts together and add the .img file inside",
  },
  { offset: 0, bytes: "7z\xbc\xaf\x27\x1c", what: "a 7-Zip archive", remedy: unpack },
  { offset: 0, bytes: "Rar!\x1a\x07", what: "a RAR archive", remedy: unpack },
  { offset: 257, bytes: "ustar", what: "a tar archive", remedy: unpack },
  { offset: 0, bytes: "BZh", what: "compressed with bzip2", remedy: "decompress it with bunzip2 first" },
  { offset: 0, bytes: "\x04\x22\x4d\x18", what: "compressed with lz4", remedy: "decompress it with lz4 -d first" },
  { offset: 0, bytes: "LZIP", what: "compressed with lzip", remedy: "decompress it with lzip -d first" },
  {
    offset: 0,
    bytes: "\x5d\0\0",
    what: "compressed with LZMA",
    remedy: "decompress it with xz --format=lzma -d first",
  },
  { offset: 0, bytes: "QFI\xfb", what: "a QEMU disk (qcow2)", remedy: convert },
  { offset: 0, bytes: "KDMV", what: "a VMware disk (VMDK)", remedy: convert },
  { offset: 0, bytes: "vhdxfile", what: "a Hyper-V disk (VHDX)", remedy: convert },
  { offset: 0, bytes: "# Disk DescriptorFile", what: "the description of a VMware disk (VMDK)", remedy: convert },
  { offset: 0, bytes: "QED\0", what: "a QEMU disk (QED)", remedy: convert },
  { offset: 0, bytes: "WithoutFreeSpace", what: "a Parallels disk", remedy: convert },
  { offset: 0, bytes: "WithouFreSpacExt", what: "a Parallels disk", remedy: convert },
  { offset: 0, bytes: "conectix", what: "a Virtual PC disk (VHD)", remedy: convert },
  { offset: 64, bytes: "\x7f\x10\xda\xbe", what: "a VirtualBox disk (VDI)", remedy: convert },
  { offset: 0, bytes: "\x3a\xff\x26\xed", what: "an Android sparse image", remedy: "convert it with simg2img first" },
  // Installer ISOs carry a partition table too, so this comes before the raw disk.
  {
    offset: 32769,
    bytes: "CD001",
    what: "an ISO 9660 image (CD, DVD)",
    remedy: "add a disk image for SD cards instead",
  },
  { offset: 0, bytes: "hsqs", what: "a squashfs filesystem", remedy: "add an image of a whole disk" },
  { offset: 0, bytes: "XFSB", what: "an XFS filesystem", remedy: "add an image of a whole disk" },
  { offset: 0, bytes: "LUKS\xba\xbe", what: "an encrypted partition (LUKS)", remedy: "add an image of a whole disk" },
  {
    offset: 0,
    bytes: "07070",
    what: "a cpio archive (an update, or an initrd)",
    remedy: "add an image of a whole disk",
  },
  { offset: 0, bytes: "!<arch>", what: "an ar archive (a Debian package)", remedy: "add a disk image" },
  { offset: 0, bytes: "\x7fELF", what: "a program", remedy: "add a disk image" },
  {
    offset: 0,
    bytes: "<?xml",
    what: "an XML document (a block map?)",
    remedy: "add the image; a .bmap is taken from beside it, or given with --bmap",
  },
  { offset: 0, bytes: "<!DOCTYPE", what: "a web page", remedy: "the download has failed; fetch the image again" },
  { offset: 0, bytes: "<html", what: "a web page", remedy: "the download has failed; fetch the image again" },
];

/**
 * Detects a file's format by its content; its name does not matter. Throws Failure `unsupported` that says what to do
 * for what is neither a raw disk image nor a compressed file.
 *
 * @param firstBytes the first `detectionBytes` of the file
 */
export function detectFormat(firstBytes: Buffer): ImageFormat {
  if (firstBytes.length === 0) throw new Failure("image-damaged", "the file is empty");
  const has = ({ offset, bytes }: Magic) =>
    firstBytes.toString("latin1", offset, offset + bytes.length) === bytes &&
    firstBytes.length >= offset + bytes.length;
  const found = compressed.find(has);
  if (found !== undefined) return found.format;
  const refusal = refused.find(has);
  if (refusal !== undefined) throw unsupported(refusal.what, refusal.remedy);
  if (isBootRecord(firstBytes)) return "raw";
  if (has({ offset: 1080, bytes: "\x53\xef" })) {
    throw unsupported("an ext2, ext3 or ext4 filesystem without a partition table", "add an image of a whole disk");
  }
  if (hasBootSignature(firstBytes)) {
    throw unsupported("a filesystem without a partition table", "add an image of a whole disk");
  }
  throw new Failure(
    "unsupported",
    "the file is not a disk image: there is no partition table in its first sector, and it is not compressed with gzip, xz, zstd or ZIP",
  );
}

/**
 * Throws Failure `unsupported` unless these first bytes, which came out of a decompressor, are those of a raw disk
 * image.
 */
export function assertUncompressed(firstBytes: Buffer): void {
  const format = detectFormat(firstBytes);
  if (format === "raw") return;
  throw new Failure("unsupported", `the file is compressed twice (${format}); decompress it once`);
}

function unsupported(what: string, remedy: string): Failure {
  return new Failure("unsupported", `the file is not a disk image but ${what}; ${remedy}`);
}
