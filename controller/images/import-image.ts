import { open, readdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Failure } from "../../proto/failure.ts";
import type { Digest } from "../nodes/node.ts";
import { Refusal } from "../refusal.ts";
import { compressImage } from "./compress-image.ts";
import { decompress } from "./decompress.ts";
import { detectFormat, detectionBytes } from "./detect-format.ts";
import { examineImage } from "./examine-image.ts";
import type { Image, ImageName } from "./image.ts";
import { renderManifest } from "./parse-manifest.ts";
import { untilAborted } from "./until-aborted.ts";
import { writeRawFile } from "./write-raw-file.ts";

/** How far an import has come. */
export interface ImportProgress {
  /** For a person: "receiving", "examining", "compressing 45%". */
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
  readonly signal: AbortSignal;
  /** Called at every chunk of about 1 MiB or less; the door bounds the rate. */
  readonly onProgress?: (progress: ImportProgress) => void;
  /** Asked as soon as the content is known: an image that stands for it already, or a throw where it is unwelcome. */
  readonly known: (digest: Digest) => Image | undefined;
  /** Milliseconds since the epoch, for `addedAt`. */
  readonly now: () => number;
}

/** Names of what lies in the folder of an image. */
export const storeFiles = { manifest: "manifest.json", image: "image.zst", boot: "boot" } as const;

/**
 * Takes in an image: fills the existing, empty `folder` with manifest.json, image.zst and boot/, all flushed to the
 * disk. Uses constant memory, and room for the uncompressed image's data meanwhile. Throws Failure: `image-damaged` or
 * `unsupported` for what is wrong with the file, `cancelled` by the signal; Refusal "exhausted" when the disk is full;
 * errors of `source` come through. The caller removes the folder after an error.
 */
export async function importImage(folder: string, request: ImportRequest): Promise<Image> {
  const { name, signal, now } = request;
  const rawPath = join(folder, "image.raw");
  const bootFolder = join(folder, storeFiles.boot);
  let receivedBytes = 0;
  const report = (step: string) => request.onProgress?.({ step, receivedBytes, totalBytes: request.fileBytes ?? 0 });
  const counted = async function* () {
    for await (const chunk of untilAborted(request.source, signal)) {
      receivedBytes += chunk.length;
      report("receiving");
      yield chunk;
    }
    if (request.fileBytes !== undefined && request.fileBytes !== receivedBytes) {
      throw new Failure("image-damaged", "the file did not arrive whole", {
        expected: `${request.fileBytes} bytes`,
        found: `${receivedBytes} bytes`,
      });
    }
  };

  try {
    const file = await peek(counted());
    const raw = await peek(decompress(file.all, detectFormat(file.head), signal));
    // What comes out of a decompressor must be a raw disk: this refuses .tar.gz and the like early.
    const inner = detectFormat(raw.head);
    if (inner !== "raw")
      throw new Failure("unsupported", `the file is compressed twice (${inner}); decompress it once`);
    const { sizeBytes, digest } = await writeRawFile(rawPath, raw.all);
    signal.throwIfAborted();
    const known = request.known(digest);
    if (known !== undefined) return known;

    report("examining");
    const findings = await examineImage(rawPath, bootFolder, signal);

    const onRead = (bytes: number) => report(`compressing ${Math.floor((100 * bytes) / sizeBytes)}%`);
    const storedBytes = await compressImage(rawPath, join(folder, storeFiles.image), onRead, signal);
    await rm(rawPath);

    const image: Image = { name, digest, sizeBytes, storedBytes, ...findings, addedAt: now() };
    await writeFile(join(folder, storeFiles.manifest), renderManifest(image), { flush: true });
    for (const file of await readdir(bootFolder)) await flush(join(bootFolder, file));
    await flush(bootFolder);
    await flush(folder);
    return image;
  } catch (error) {
    if (signal.aborted) throw new Failure("cancelled", `the import of ${name} was cancelled`, { cause: error });
    if (error instanceof Error && "code" in error && (error.code === "ENOSPC" || error.code === "EDQUOT")) {
      throw new Refusal(
        "exhausted",
        `no room left in ${folder}: make room there, or set imageDirectory to another disk`,
        {
          cause: error,
        },
      );
    }
    throw error;
  }
}

/** Flushes a file or a folder to the disk. */
export async function flush(path: string): Promise<void> {
  const handle = await open(path, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** The first bytes of a stream for detection, and the whole of it. */
async function peek(
  source: AsyncGenerator<Uint8Array>,
): Promise<{ readonly head: Buffer; readonly all: AsyncGenerator<Uint8Array> }> {
  const first: Uint8Array[] = [];
  let bytes = 0;
  while (bytes < detectionBytes) {
    const next = await source.next();
    if (next.done) break;
    first.push(next.value);
    bytes += next.value.length;
  }
  const head = Buffer.concat(first).subarray(0, detectionBytes);
  const all = (async function* () {
    try {
      yield* first;
      yield* source;
    } finally {
      await source.return(undefined);
    }
  })();
  return { head, all };
}
