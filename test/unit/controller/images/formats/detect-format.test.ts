import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { gzipSync, zstdCompressSync } from "node:zlib";
import { detectFormat } from "../../../../../controller/images/formats/detect-format.ts";
import { Failure } from "../../../../../proto/failure.ts";

function at(offset: number, bytes: string, length = 36 * 1024): Buffer {
  const head = Buffer.alloc(length);
  head.write(bytes, offset, "latin1");
  return head;
}

function bootRecord(): Buffer {
  return at(510, "\x55\xaa");
}

describe("the format of a file", () => {
  const known: readonly (readonly [string, string, Buffer])[] = [
    ["gzip", "gzip", gzipSync(bootRecord())],
    ["zstd", "zstd", zstdCompressSync(bootRecord())],
    ["zstd", "zstd with a skippable frame first", at(0, "\x50\x2a\x4d\x18")],
    ["xz", "xz", at(0, "\xfd7zXZ\0\0\x04")],
    ["zip", "a ZIP archive", at(0, "PK\x03\x04")],
    ["raw", "a disk with a partition table", bootRecord()],
  ];
  for (const [format, title, head] of known) {
    it(`is told for ${title}`, () => assert.equal(detectFormat(head), format));
  }

  const iso = bootRecord();
  iso.write("CD001", 32769, "latin1");
  const fatWithoutTable = Buffer.alloc(1024, 0x41);
  fatWithoutTable.writeUInt16LE(0xaa55, 510);
  const refused: readonly (readonly [string, Buffer, RegExp])[] = [
    ["an empty ZIP archive", at(0, "PK\x05\x06"), /empty ZIP archive; fetch/],
    ["a part of a ZIP archive", at(0, "PK\x07\x08"), /first part of a ZIP archive; unpack all parts/],
    ["an LZMA file", at(0, "\x5d\0\0\x80\0"), /LZMA; decompress it with xz --format=lzma -d/],
    ["a VMDK disk", at(0, "KDMV"), /VMDK.*qemu-img convert -O raw/],
    ["the description of a VMDK disk", at(0, "# Disk DescriptorFile\n"), /VMDK.*qemu-img convert -O raw/],
    ["a VHDX disk", at(0, "vhdxfile"), /VHDX.*qemu-img convert -O raw/],
    ["a block map", at(0, '<?xml version="1.0" ?>\n<bmap'), /a block map\?\); add the image/],
    ["an update for SWUpdate", at(0, "070702"), /cpio archive/],
    ["an XFS filesystem", at(0, "XFSB"), /XFS filesystem; add an image of a whole disk/],
    ["a 7-Zip archive", at(0, "7z\xbc\xaf\x27\x1c"), /7-Zip archive; unpack it/],
    ["a tar archive", at(257, "ustar\0"), /tar archive; unpack it/],
    ["a bzip2 file", at(0, "BZh91AY"), /bunzip2/],
    ["a qcow2 disk", at(0, "QFI\xfb"), /qemu-img convert -O raw/],
    ["a VirtualBox disk", at(64, "\x7f\x10\xda\xbe"), /qemu-img convert -O raw/],
    ["an installer ISO, although it has a partition table", iso, /ISO 9660/],
    ["an ext4 filesystem", at(1080, "\x53\xef"), /without a partition table; add an image of a whole disk/],
    ["a FAT filesystem", fatWithoutTable, /without a partition table/],
    ["a failed download", Buffer.from("<!DOCTYPE html><title>404"), /web page; the download has failed/],
    ["text", Buffer.from("hello"), /no partition table in its first sector/],
    ["nothing", Buffer.alloc(0), /empty/],
  ];
  for (const [title, head, message] of refused) {
    it(`is refused, with the remedy, for ${title}`, () => {
      assert.throws(
        () => detectFormat(head),
        (error) => error instanceof Failure && message.test(error.message),
      );
    });
  }
});
