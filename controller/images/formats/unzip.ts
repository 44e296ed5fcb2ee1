import { crc32, createInflateRaw } from "node:zlib";
import { isZero } from "../../../proto/pack/is-zero.ts";
import { type ByteReader, createByteReader } from "./byte-reader.ts";
import {
  damaged,
  descriptorBytes,
  entryTailLengths,
  parseZipEntry,
  parseZipFile,
  severalFiles,
  tailLengths,
  type ZipEntry,
  type ZipFile,
  zipRecordBytes,
  zipSignatures,
} from "./parse-zip.ts";

/**
 * The one file in a ZIP archive, as it is read: stored or deflated, ZIP64 too. Not by a program: unzip(1) wants a whole
 * file before it begins, and bsdtar(1), which does not, takes an archive that was cut short behind its file for whole.
 * Throws Failure `unsupported` for what is not one file, `image-damaged` when the archive is; errors of the source come
 * through.
 */
export async function* unzip(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const reader = createByteReader(source);
  try {
    const header = await takeAll(reader, zipRecordBytes.file);
    const { nameBytes, extraBytes } = tailLengths(header);
    const name = await takeAll(reader, nameBytes);
    const file = parseZipFile(header, name, await takeAll(reader, extraBytes));

    let crc = 0;
    let sizeBytes = 0;
    const content = file.method === "stored" ? stored(reader, file.compressedBytes ?? 0) : inflated(reader);
    for (let next = await content.next(); ; next = await content.next()) {
      if (next.done === true) {
        await checkRest(reader, file, { crc, compressedBytes: next.value, sizeBytes });
        return;
      }
      crc = crc32(next.value, crc);
      sizeBytes += next.value.length;
      // A little deflates to very much: what goes on past its own word is not waited for.
      if (file.sizeBytes !== undefined && sizeBytes > file.sizeBytes)
        throw damaged("the content is longer than it says");
      yield next.value;
    }
  } finally {
    reader.close();
  }
}

/** What is behind the content: perhaps what it was, no other file, the directory with one entry, and the end. */
async function checkRest(reader: ByteReader, file: ZipFile, found: ZipEntry): Promise<void> {
  if (file.crc === undefined) {
    const bytes = await reader.take(24);
    const length = descriptorBytes(bytes, found);
    if (length === undefined) throw damaged("the content is not what it was, by its length or checksum");
    reader.unread(bytes.subarray(length));
  } else assertSame(file as ZipEntry, found);

  let entries = 0;
  for (;;) {
    const start = await takeAll(reader, 4);
    const signature = start.readUInt32LE(0);
    const rest = (bytes: number) => takeAll(reader, bytes - 4);
    if (signature === zipSignatures.file) throw severalFiles();
    if (signature === zipSignatures.central) {
      if (++entries > 1) throw severalFiles();
      const entry = Buffer.concat([start, await rest(zipRecordBytes.central)]);
      const [nameBytes, extraBytes, commentBytes] = entryTailLengths(entry);
      await takeAll(reader, nameBytes);
      const extra = await takeAll(reader, extraBytes);
      await takeAll(reader, commentBytes);
      assertSame(parseZipEntry(entry, extra), found);
    } else if (signature === zipSignatures.end64) {
      const record = await rest(zipRecordBytes.end64);
      // It may be followed by more than is known, whose length counts from behind the field itself.
      const more = record.readBigUInt64LE(0) - BigInt(zipRecordBytes.end64 - 12);
      if (more < 0n || more > 0xffffn) throw damaged("a record at its end has an impossible length");
      await takeAll(reader, Number(more));
    } else if (signature === zipSignatures.locator64) await rest(zipRecordBytes.locator64);
    else if (signature === zipSignatures.end) {
      const record = await rest(zipRecordBytes.end);
      await takeAll(reader, record.readUInt16LE(zipRecordBytes.end - 4 - 2));
      break;
    } else throw damaged("it has something unknown behind its file");
  }
  if (entries !== 1) throw damaged("its directory does not have the file");
  for (let bytes = await reader.next(); bytes !== undefined; bytes = await reader.next()) {
    if (!isZero(bytes)) throw damaged("there is trailing data after its end");
  }
}

async function* stored(reader: ByteReader, lengthBytes: number): AsyncGenerator<Buffer, number> {
  for (let missing = lengthBytes; missing > 0; ) {
    const bytes = await reader.next(missing);
    if (bytes === undefined) throw damaged("it ends within its file");
    missing -= bytes.length;
    yield bytes;
  }
  return lengthBytes;
}

/** Decompresses up to the end of the deflated content, which says itself where that is; returns its length. */
async function* inflated(reader: ByteReader): AsyncGenerator<Buffer, number> {
  const stream = createInflateRaw({ chunkSize: 1 << 20 });
  const feed = async (): Promise<void> => {
    let fedBytes = 0;
    try {
      for (let bytes = await reader.next(); bytes !== undefined; bytes = await reader.next()) {
        await new Promise<void>((resolve) => stream.write(bytes, () => resolve()));
        const takenBytes = stream.bytesWritten - fedBytes;
        if (takenBytes < bytes.length) {
          // The end was in it, or an error, which is thrown below.
          reader.unread(bytes.subarray(takenBytes));
          return;
        }
        fedBytes += takenBytes;
      }
      stream.end();
    } catch (error) {
      stream.destroy(error as Error);
    }
  };
  const feeding = feed();
  try {
    yield* stream as AsyncIterable<Buffer>;
  } catch (error) {
    if (reader.error() !== undefined) throw reader.error();
    throw damaged(`zlib says: ${error instanceof Error ? error.message : String(error)}`, error);
  } finally {
    stream.destroy();
  }
  await feeding;
  return stream.bytesWritten;
}

function assertSame(said: ZipEntry, found: ZipEntry): void {
  const isSame =
    said.crc === found.crc && said.compressedBytes === found.compressedBytes && said.sizeBytes === found.sizeBytes;
  if (!isSame) throw damaged("the content is not what it was, by its length or checksum");
}

async function takeAll(reader: ByteReader, lengthBytes: number): Promise<Buffer> {
  const bytes = await reader.take(lengthBytes);
  if (bytes.length < lengthBytes) throw damaged("it ends too early");
  return bytes;
}
