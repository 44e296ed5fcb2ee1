import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { crc32 } from "node:zlib";

const golden = path.resolve(import.meta.dirname, "../../golden");

/** Texts of the files of a folder of golden files whose names have this ending. */
export function goldenTexts(folder: string, ending: string): readonly string[] {
  return readdirSync(path.join(golden, folder))
    .filter((name) => name.endsWith(ending))
    .toSorted()
    .map((name) => readFileSync(path.join(golden, folder, name), "utf8"));
}

const guid = Buffer.from("a2a0d0ebe5b9334487c068b6b72699c7", "hex");

/** An image of 1 MiB with a GPT, without a backup: two partitions, checksums not yet made. */
export function gptImage(): Buffer {
  const image = Buffer.alloc(1024 * 1024);
  image.writeUInt16LE(0xaa55, 510);
  image.writeUInt8(0xee, 446 + 4);
  image.writeUInt32LE(1, 446 + 8);
  image.writeUInt32LE(2047, 446 + 12);
  image.write("EFI PART", 512, "latin1");
  image.writeUInt32LE(0x10000, 512 + 8);
  image.writeUInt32LE(92, 512 + 12);
  image.writeBigUInt64LE(1n, 512 + 24);
  image.writeBigUInt64LE(2047n, 512 + 32);
  image.writeBigUInt64LE(34n, 512 + 40);
  image.writeBigUInt64LE(2014n, 512 + 48);
  image.writeBigUInt64LE(2n, 512 + 72);
  image.writeUInt32LE(128, 512 + 80);
  image.writeUInt32LE(128, 512 + 84);
  for (const [index, first, last] of [
    [0, 64n, 511n],
    [1, 512n, 1999n],
  ] as const) {
    const at = 1024 + index * 128;
    guid.copy(image, at);
    guid.copy(image, at + 16);
    image.writeUInt8(index + 1, at + 16);
    image.writeBigUInt64LE(first, at + 32);
    image.writeBigUInt64LE(last, at + 40);
  }
  return sealGpt(image);
}

/** The same bytes with checksums that are right, where the header says that they are: what an attacker would send. */
export function sealGpt(image: Buffer): Buffer {
  if (image.length < 1024) return image;
  const sealed = Buffer.from(image);
  const entriesAt = Number(sealed.readBigUInt64LE(512 + 72)) * 512;
  const entriesBytes = sealed.readUInt32LE(512 + 80) * sealed.readUInt32LE(512 + 84);
  if (entriesAt + entriesBytes <= sealed.length)
    sealed.writeUInt32LE(crc32(sealed.subarray(entriesAt, entriesAt + entriesBytes)), 512 + 88);
  const headerBytes = Math.min(sealed.readUInt32LE(512 + 12), 512);
  const summed = Buffer.from(sealed.subarray(512, 512 + headerBytes));
  if (summed.length >= 20) summed.fill(0, 16, 20);
  sealed.writeUInt32LE(crc32(summed), 512 + 16);
  return sealed;
}

/** An image of 1 MiB with an MBR: one primary partition, and two logical ones. */
export function mbrImage(): Buffer {
  const image = Buffer.alloc(1024 * 1024);
  const slot = (record: number, position: number, type: number, start: number, sectors: number): void => {
    const at = record * 512 + 446 + 16 * position;
    image.writeUInt8(type, at + 4);
    image.writeUInt32LE(start, at + 8);
    image.writeUInt32LE(sectors, at + 12);
    image.writeUInt16LE(0xaa55, record * 512 + 510);
  };
  image.writeUInt32LE(0xdeadbeef, 440);
  slot(0, 0, 0x0c, 16, 100);
  slot(0, 1, 0x0f, 200, 1000);
  slot(200, 0, 0x83, 8, 100);
  slot(200, 1, 0x05, 300, 200);
  slot(500, 0, 0x83, 8, 100);
  return image;
}

/** A FAT of 256 KiB with a folder in it, a file with a long name, and one of several clusters. */
export function fatImage(bits: 12 | 32): Buffer {
  const image = Buffer.alloc(256 * 1024);
  const [reserved, tableSectors, rootEntries] = bits === 12 ? [1, 2, 16] : [8, 4, 0];
  image.writeUInt16LE(512, 11);
  image.writeUInt8(1, 13);
  image.writeUInt16LE(reserved, 14);
  image.writeUInt8(2, 16);
  image.writeUInt16LE(rootEntries, 17);
  image.writeUInt16LE(512, 19);
  if (bits === 12) image.writeUInt16LE(tableSectors, 22);
  else {
    image.writeUInt32LE(tableSectors, 36);
    image.writeUInt32LE(2, 44);
    image.writeUInt16LE(1, 48);
    image.writeUInt16LE(6, 50);
  }
  image.writeUInt16LE(0xaa55, 510);
  const tableAt = reserved * 512;
  const next = [0xffffff8, 0xfffffff, 0xfffffff, 0xfffffff, 5, 6, 0xfffffff];
  for (const copy of [0, 1]) {
    for (const [cluster, value] of next.entries()) {
      const at = tableAt + copy * tableSectors * 512;
      if (bits === 32) image.writeUInt32LE(value, at + cluster * 4);
      else {
        const place = at + cluster + (cluster >> 1);
        const pair = image.readUInt16LE(place);
        const low = value & 0xfff;
        image.writeUInt16LE(cluster % 2 === 0 ? (pair & 0xf000) | low : (pair & 0xf) | (low << 4), place);
      }
    }
  }
  const rootAt = tableAt + 2 * tableSectors * 512;
  const dataAt = rootAt + rootEntries * 32;
  const entry = (at: number, name: string, attributes: number, cluster: number, sizeBytes: number): void => {
    image.write(name.padEnd(11), at, "latin1");
    image.writeUInt8(attributes, at + 11);
    image.writeUInt16LE(cluster, at + 26);
    image.writeUInt32LE(sizeBytes, at + 28);
  };
  const folder = bits === 12 ? rootAt : dataAt;
  entry(folder, "BOOT", 0x08, 0, 0);
  entry(folder + 32, "OVERLAYS", 0x10, 3, 0);
  // The last part of a long name, with the sum of the short one.
  image.write("a long name", folder + 65, "utf16le");
  image.writeUInt8(0x41, folder + 64);
  image.writeUInt8(0x0f, folder + 64 + 11);
  entry(folder + 96, "ALONGN~1TXT", 0x20, 4, 1_100);
  const sum = image
    .subarray(folder + 96, folder + 107)
    .reduce((total, byte) => (((total & 1) << 7) + (total >> 1) + byte) & 0xff, 0);
  image.writeUInt8(sum, folder + 64 + 13);
  const inside = dataAt + 512;
  entry(inside, ".", 0x10, 3, 0);
  entry(inside + 32, "..", 0x10, 0, 0);
  entry(inside + 64, "EMPTY", 0x20, 0, 0);
  return image;
}
