import { readdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { keepLabelOnly, refuseProtecting } from "../../../proto/disk/protected-disk.ts";
import { Failure } from "../../../proto/failure.ts";
import { isDiskFull } from "../../../proto/linux/disk-full.ts";
import { flush } from "../../../proto/linux/flush.ts";
import type { ImageDigest } from "../../../proto/pack/digest.ts";
import { maxImageBytes } from "../../../proto/pack/image-bounds.ts";
import { chooseChunkBytes } from "../../../proto/pack/pack-manifest.ts";
import type { Clock } from "../../../proto/time/clock.ts";
import { imagesDiskFull } from "../../refusal/disk-full.ts";
import { assertRequirements } from "../../requirements/assert-requirements.ts";
import type { HandedFile } from "../../uploads/handed-file.ts";
import type { BlockMap } from "../block-map/block-map.ts";
import { checkBlockMap } from "../block-map/check-block-map.ts";
import type { Capture, Image, ImageName, Partition } from "../catalogue/image.ts";
import { renderManifest } from "../catalogue/parse-manifest.ts";
import { decompress } from "../formats/decompress.ts";
import { assertUncompressed, detectFormat } from "../formats/detect-format.ts";
import { peek } from "../formats/peek.ts";
import type { WholeReason } from "../map/judge-partitions.ts";
import { mapImage } from "../map/map-image.ts";
import { createChunkClassifier } from "../map/unused-map.ts";
import { writePack } from "../pack/write-pack.ts";
import { examineImage } from "./examine-image.ts";
import { noteRawFile } from "./note-raw-file.ts";
import { planImagesAdd } from "./plan-requirements.ts";
import { untilAborted } from "./until-aborted.ts";
import { type RawImage, writeRawFile } from "./write-raw-file.ts";

/** The progress of an import. */
export interface ImportProgress {
  /** For a person: "receiving", "examining", "packing 45%". */
  readonly step: string;
  /** Bytes of the file taken in. */
  readonly receivedBytes: number;
  /** Bytes of the file in all; 0 when unknown. */
  readonly totalBytes: number;
}

/** What to import. */
export interface ImportRequest {
  readonly name: ImageName;
  /** The file's bytes: a raw disk image, plain or compressed. */
  readonly source: AsyncIterable<Uint8Array>;
  /** Length of the file in bytes; another number of bytes is refused. Absent when unknown. */
  readonly fileBytes?: number;
  /** The block map that came with the image. */
  readonly blockMap?: BlockMap;
  /** Called with each piece of the source that nobody needs any more; of some sources it is not called. */
  readonly release?: (piece: Uint8Array) => void;
  /**
   * The file itself, where this machine has it: a raw image is then read where it is, and not copied. `source` has its
   * bytes all the same.
   */
  readonly file?: HandedFile;
  readonly signal: AbortSignal;
  /** Whether nodes are sent every block, those that a filesystem calls free included. */
  readonly everything?: boolean;
  /** The digest that the uncompressed image must have; throws Failure `image-damaged` for another one. */
  readonly expectedDigest?: ImageDigest;
  /** Notified of a partition all of which is sent although its filesystem has books: `why` is a clause. */
  readonly onAllUsed?: (partition: Partition, why: string) => void;
  /** Called at every chunk of about 1 MiB or less; the door bounds the rate. */
  readonly onProgress?: (progress: ImportProgress) => void;
  /** Called as soon as the content is known: returns an existing image with that content, or throws to refuse it. */
  readonly known: (digest: ImageDigest) => Image | undefined;
  /** For `addedAt`. */
  readonly clock: Pick<Clock, "now">;
}

/** Names of what is in the folder of an image. */
export const storeFiles = {
  description: "manifest.json",
  pack: "image.zst",
  packManifest: "image.manifest",
  boot: "boot",
} as const;

const rawFile = "image.raw";

/**
 * Takes in an image: fills the existing, empty `folder` with manifest.json, image.zst, image.manifest and boot/, all
 * flushed to the disk. Uses constant memory, and room for the uncompressed image's data in the meantime. Throws
 * Failure: `image-damaged` or `unsupported` for what is wrong with the file, `cancelled` by the signal; Refusal
 * "exhausted" when the disk is full; errors of `source` come through. The caller removes the folder after an error.
 */
export async function importImage(folder: string, request: ImportRequest): Promise<Image> {
  const { name, signal } = request;
  let receivedBytes = 0;
  const report = (step: string) => request.onProgress?.({ step, receivedBytes, totalBytes: request.fileBytes ?? 0 });
  const counted = async function* () {
    for await (const chunk of untilAborted(request.source, signal)) {
      receivedBytes += chunk.length;
      report("receiving");
      yield chunk;
    }
    assertComplete();
  };
  const assertComplete = (): void => {
    if (request.fileBytes === undefined || request.fileBytes === receivedBytes) return;
    throw new Failure("image-damaged", "the file did not arrive completely", {
      expected: `${request.fileBytes} bytes`,
      found: `${receivedBytes} bytes`,
    });
  };
  const noteInPlace = async (given: HandedFile): Promise<RawImage> => {
    receivedBytes = 0;
    const noted = await noteRawFile(
      given.path,
      (bytes) => {
        receivedBytes = bytes;
        report("receiving");
      },
      signal,
    );
    assertComplete();
    return noted;
  };

  try {
    const { given, rawPath, sizeBytes, digest, blocks } = await peek(counted(), async (file) => {
      const format = detectFormat(file.firstBytes);
      // Before the rest of the file is received.
      await assertRequirements(planImagesAdd({ formats: [format] }), { canInstall: true });
      return peek(decompress(file.all, format, signal), async (raw) => {
        // What comes out of a decompressor must be a raw disk: this refuses .tar.gz and the like early.
        assertUncompressed(raw.firstBytes);
        // A file with padding behind its last sector is copied without.
        const given = format === "raw" && isWhole(request.file) ? request.file : undefined;
        if (given !== undefined) return { given, rawPath: given.path, ...(await noteInPlace(given)) };
        const rawPath = join(folder, rawFile);
        // What goes through a decompressor may wait there for its turn; a raw image is written as it comes.
        const pieces = format === "raw" ? releasing(raw.all, request.release) : raw.all;
        return { given, rawPath, ...(await writeRawFile(rawPath, pieces)) };
      });
    });
    signal.throwIfAborted();
    if (request.expectedDigest !== undefined && digest !== request.expectedDigest)
      throw new Failure(
        "image-damaged",
        `${name} was not added: its uncompressed bytes are not the image that the given digest (SHA-256) is of. The file is damaged or ` +
          "another one, or whoever gave the digest has an old one",
        { expected: request.expectedDigest, found: digest },
      );
    const percent = (bytes: number) => `${Math.floor((100 * bytes) / sizeBytes)}%`;
    if (request.blockMap !== undefined) {
      const onChecked = (bytes: number) => report(`checking the block map ${percent(bytes)}`);
      await checkBlockMap(rawPath, request.blockMap, onChecked, signal);
    }
    const known = request.known(digest);
    if (known !== undefined) return known;
    const image = await storeRaw(folder, { sizeBytes, digest, blocks }, { ...request, rawPath, report });
    await given?.assertUnchanged();
    return image;
  } catch (error) {
    // Then this is why it failed.
    await request.file?.assertUnchanged();
    throw explain(error, folder, request);
  }
}

/** An image whose own source writes its raw file. */
export interface RawRequest
  extends Pick<ImportRequest, "name" | "signal" | "everything" | "onAllUsed" | "onProgress" | "clock"> {
  /** Writes the raw file, which does not exist yet, and says what it is. */
  readonly fill: (path: string, folder: string) => Promise<FilledRaw>;
}

/** A raw file that was written, holes included. */
export interface FilledRaw {
  readonly sizeBytes: number;
  readonly capture: Capture;
  /**
   * Called once, when it is known of which partitions every block counts, by their numbers: writes what is still missing
   * of these. Throws a Failure when one of them must not have been changed.
   */
  readonly complete: (whole: ReadonlyMap<number, WholeReason>) => Promise<void>;
}

/**
 * Takes in an image that its own source writes as a raw file: the same as importImage otherwise. The folder holds more
 * while it works, and nothing else in the end.
 */
export async function importRaw(folder: string, request: RawRequest): Promise<Image> {
  const report = (step: string) => request.onProgress?.({ step, receivedBytes: 0, totalBytes: 0 });
  try {
    const rawPath = join(folder, rawFile);
    const filled = await request.fill(rawPath, folder);
    return await storeRaw(folder, filled, { ...request, rawPath, report });
  } catch (error) {
    throw explain(error, folder, request);
  }
}

/** Whether it ends as a disk does, and is no longer than an image may be. */
function isWhole(file: HandedFile | undefined): file is HandedFile {
  return file !== undefined && file.sizeBytes > 0 && file.sizeBytes % 512 === 0 && file.sizeBytes <= maxImageBytes;
}

/** Examines the raw file and packs it; removes it where it is a copy. */
async function storeRaw(
  folder: string,
  raw: RawImage | FilledRaw,
  request: Omit<RawRequest, "fill"> & { readonly rawPath: string; readonly report: (step: string) => void },
): Promise<Image> {
  const { name, signal, clock, rawPath, report, everything = false } = request;
  const { sizeBytes } = raw;
  const bootFolder = join(folder, storeFiles.boot);
  const percent = (bytes: number) => `${Math.floor((100 * bytes) / sizeBytes)}%`;
  report("examining");
  const { hashTables, ...findings } = await examineImage(rawPath, bootFolder, signal);
  const refusal = refuseProtecting(request.name, findings.partitions, keepLabelOnly);
  if (refusal !== undefined) throw refusal;

  const chunkBytes = chooseChunkBytes(sizeBytes);
  const whole = new Map<number, WholeReason>();
  const unused = await mapImage({
    imagePath: rawPath,
    imageBytes: sizeBytes,
    ...("blocks" in raw && { isZero: raw.blocks.isZero }),
    partitions: findings.partitions,
    chunkBytes,
    commandLine: findings.boot.commandLine,
    hashTables,
    everything,
    onAllUsed: (partition, reason) => {
      whole.set(partition.number, reason);
      request.onAllUsed?.(partition, reason.why);
    },
    signal,
  });
  const { digest, blocks } = "blocks" in raw ? raw : await finish(raw, whole, rawPath, request);
  const packed = await writePack({
    imagePath: rawPath,
    imageDigest: digest,
    blocks,
    packPath: join(folder, storeFiles.pack),
    manifestPath: join(folder, storeFiles.packManifest),
    kindOf: createChunkClassifier(unused),
    chunkBytes,
    onPacked: (bytes) => report(`packing ${percent(bytes)}`),
    signal,
  });
  await rm(join(folder, rawFile), { force: true });

  const { storedBytes } = packed;
  const pack = { ...packed.pack, onlyFree: true };
  const partitions = findings.partitions.map((partition): Partition => {
    const reason = whole.get(partition.number);
    if (reason === undefined) return partition;
    return { ...partition, countsWhole: reason.why, ...(reason.isHashed && { hashed: true }) };
  });
  const image: Image = {
    ...{ name, digest, sizeBytes, storedBytes, ...findings, partitions, pack, addedAt: clock.now() },
    ...(everything && { everything }),
    ...("capture" in raw && { capture: raw.capture }),
  };
  await writeFile(join(folder, storeFiles.description), renderManifest(image), { flush: true });
  // Folders after what is in them.
  for (const path of (await readdir(bootFolder, { recursive: true })).toReversed()) await flush(join(bootFolder, path));
  await flush(bootFolder);
  await flush(folder);
  return image;
}

/** Completes a raw file, and looks at all of it. */
async function finish(
  { complete, sizeBytes }: FilledRaw,
  whole: ReadonlyMap<number, WholeReason>,
  path: string,
  { report, signal }: { readonly report: (step: string) => void; readonly signal: AbortSignal },
): Promise<RawImage> {
  await complete(whole);
  return await noteRawFile(path, (bytes) => report(`hashing ${Math.floor((100 * bytes) / sizeBytes)}%`), signal);
}

/** What a caller is told of an error. */
function explain(error: unknown, folder: string, { name, signal }: Pick<ImportRequest, "name" | "signal">): unknown {
  if (signal.aborted) return new Failure("cancelled", `the import of ${name} was cancelled`, { cause: error });
  if (!(error instanceof Failure) && isDiskFull(error)) return imagesDiskFull(folder, error);
  return error;
}

/** The pieces of a source, each given back when the next is asked for. */
async function* releasing(
  source: AsyncIterable<Uint8Array>,
  release: ((piece: Uint8Array) => void) | undefined,
): AsyncGenerator<Uint8Array> {
  for await (const piece of source) {
    yield piece;
    release?.(piece);
  }
}
