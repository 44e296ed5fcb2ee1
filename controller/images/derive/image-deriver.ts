import { createReadStream } from "node:fs";
import { access, mkdir, readFile, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { Failure } from "../../../proto/failure.ts";
import { isDiskFull } from "../../../proto/linux/disk-full.ts";
import { type PackManifest, parsePackManifest } from "../../../proto/pack/pack-manifest.ts";
import { imagesDiskFull } from "../../refusal/disk-full.ts";
import { alreadyExists, notFound, precondition } from "../../refusal/refusal.ts";
import { requireImage } from "../catalogue/find-image.ts";
import type { Image } from "../catalogue/image.ts";
import { parseImageName } from "../catalogue/parse-manifest.ts";
import { withUnfinishedFolder } from "../catalogue/unfinished-folder.ts";
import { decompress } from "../formats/decompress.ts";
import type { ImageStore } from "../image-store.ts";
import { findRootPartition } from "../import/examine-image.ts";
import type { ImportProgress } from "../import/import-image.ts";
import { untilAborted } from "../import/until-aborted.ts";
import { writeRawFile } from "../import/write-raw-file.ts";
import { comparePacks } from "./compare-packs.ts";
import { deriveFromImage } from "./derive-from-image.ts";
import { deriveFromTree } from "./derive-from-tree.ts";
import { measurePlain } from "./measure-plain.ts";
import { planDerivation } from "./plan-derivation.ts";
import { type Received, receiveSource } from "./receive-source.ts";

/** An image to derive. */
export interface DeriveRequest {
  readonly name: string;
  /** Name of the image whose layout is kept. */
  readonly from: string;
  /** The new content: an image of a disk, or a tar archive of a root filesystem; plain or compressed. */
  readonly source: AsyncIterable<Uint8Array>;
  /** Its length in bytes, where known. */
  readonly fileBytes?: number;
  readonly signal: AbortSignal;
  readonly onProgress: (progress: ImportProgress) => void;
}

/** An image that was derived. */
export interface DerivedImage {
  readonly image: Image;
  /** Name of the image whose layout it has. */
  readonly from: string;
  readonly gain: DerivationGain;
  /** What a person should know of how it came about, a sentence each. */
  readonly notes: readonly string[];
}

/** What nodes with the freshly installed old image save. Lengths in bytes. */
export interface DerivationGain {
  /** What such a card needs to get the new image. */
  readonly writeBytes: number;
  readonly fetchBytes: number;
  /** What it would have to write if the new image were added as it is; absent where a tree was given. */
  readonly plainWriteBytes?: number;
}

/** Makes images in the layout of others. */
export interface ImageDeriver {
  /**
   * Makes an image with the content of one and the layout of another, and adds it to the catalogue. Throws Refusal
   * "not-found", "already-exists", "precondition" (a machine without FUSE, a name that is being worked on),
   * "exhausted"; Failure `unsupported`, `image-damaged`, `tool-failed`, `cancelled`; errors of `source` come through.
   */
  derive(request: DeriveRequest): Promise<DerivedImage>;
}

/** The images, as deriving needs them. */
export type DerivableImages = Pick<ImageStore, "get" | "add" | "packFile">;

/** Creates a deriver that works inside the folder of the images, where a restart clears away what a crash left. */
export function createImageDeriver({
  images,
  directory,
}: {
  readonly images: DerivableImages;
  readonly directory: string;
}): ImageDeriver {
  const busy = new Set<string>();
  return {
    async derive(request) {
      const name = parseImageName(request.name);
      const old = await requireImage(images, request.from);
      if ((await images.get(name)) !== undefined)
        throw alreadyExists(`an image ${name} already exists: choose another name, or remove it first`);
      await assertCanMount();
      if (busy.has(name)) throw precondition(`an image ${name} is already being derived`);
      busy.add(name);
      try {
        return await withUnfinishedFolder(directory, (folder) => deriveIn(folder, old, { ...request, name }, images));
      } finally {
        busy.delete(name);
      }
    },
  };
}

async function deriveIn(
  folder: string,
  old: Image,
  request: DeriveRequest,
  images: DerivableImages,
): Promise<DerivedImage> {
  const { name, signal } = request;
  let receivedBytes = 0;
  const onStep = (step: string) =>
    request.onProgress({ step, receivedBytes, totalBytes: request.fileBytes ?? receivedBytes });
  const counted = async function* () {
    for await (const chunk of untilAborted(request.source, signal)) {
      receivedBytes += chunk.length;
      request.onProgress({ step: "receiving", receivedBytes, totalBytes: request.fileBytes ?? 0 });
      yield chunk;
    }
  };
  try {
    const received = await receiveSource(counted(), join(folder, "new"), signal);
    const targetPath = join(folder, "derived.raw");
    const oldPack = await readPackManifest(old, images);
    const { notes, plainWriteBytes } = await layOut(received, { old, oldPack }, images, {
      targetPath,
      folder,
      signal,
      onStep,
    });
    // Frees disk space.
    await rm(received.path, { recursive: true });
    const image = await images.add({
      name,
      source: createReadStream(targetPath, { highWaterMark: 1 << 20 }),
      fileBytes: (await stat(targetPath)).size,
      ...(old.everything === true && { everything: true }),
      signal,
      onProgress: ({ step }) => onStep(step === "receiving" ? "storing" : step),
    });
    const nextPack = await readPackManifest(image, images);
    const difference = comparePacks(oldPack, nextPack);
    return {
      image,
      from: old.name,
      gain: { ...difference, ...(plainWriteBytes !== undefined && { plainWriteBytes }) },
      notes,
    };
  } catch (error) {
    if (signal.aborted) throw new Failure("cancelled", `deriving ${name} was cancelled`, { cause: error });
    if (!(error instanceof Failure) && isDiskFull(error)) {
      throw imagesDiskFull(folder, error, "both images uncompressed");
    }
    throw error;
  }
}

/** Restores the old image, and gives it the new content. */
async function layOut(
  received: Received,
  { old, oldPack }: { readonly old: Image; readonly oldPack: PackManifest },
  images: DerivableImages,
  work: {
    readonly targetPath: string;
    readonly folder: string;
    readonly signal: AbortSignal;
    readonly onStep: (step: string) => void;
  },
): Promise<{ readonly notes: readonly string[]; readonly plainWriteBytes?: number }> {
  const { targetPath, folder, signal, onStep } = work;
  const restore = async () => {
    onStep(`restoring ${old.name}`);
    await restoreRaw(old, images, targetPath, signal);
  };
  const workFolder = join(folder, "work");
  await mkdir(workFolder);
  const derivation = { targetPath, workFolder, signal, onStep };
  if (received.kind === "tree") {
    await restore();
    return { notes: await deriveFromTree(received.path, old, derivation) };
  }
  onStep("examining");
  const { table, partitions, rootPartition } = await findRootPartition(received.path, signal);
  const sizeBytes = (await stat(received.path)).size;
  const plan = planDerivation(old, { sizeBytes, partitionTable: table.kind, partitions, rootPartition });
  onStep("comparing");
  const plainWriteBytes = await measurePlain(received.path, partitions, oldPack, signal);
  await restore();
  await deriveFromImage(received.path, plan, table.kind, derivation);
  return { notes: [], plainWriteBytes };
}

/** Writes an image of the catalogue to a new file, uncompressed, and checks that it is what was stored. */
async function restoreRaw(image: Image, images: DerivableImages, path: string, signal: AbortSignal): Promise<void> {
  const stored = packFileOf(image, images, "pack");
  const { digest } = await writeRawFile(path, decompress(createReadStream(stored), "zstd", signal));
  if (digest !== image.digest) {
    throw new Failure("image-damaged", `the stored image ${image.name} is damaged; add it again`, {
      expected: image.digest,
      found: digest,
    });
  }
}

async function readPackManifest(image: Image, images: DerivableImages): Promise<PackManifest> {
  return parsePackManifest(await readFile(packFileOf(image, images, "manifest")));
}

function packFileOf({ name, pack }: Image, images: DerivableImages, which: "pack" | "manifest"): string {
  const path = images.packFile(pack.manifestDigest, which);
  if (path === undefined) throw notFound(`image ${name} has been removed in the meantime`);
  return path;
}

/** Of all work on images, only deriving needs namespaces of its own. */
async function assertCanMount(): Promise<void> {
  const remedy = "add the new image as it is instead: controller images add";
  if (process.getuid?.() !== 0)
    throw precondition(`deriving makes files of any owner, so the controller must run as root; or ${remedy}`);
  try {
    await access("/dev/fuse");
  } catch (cause) {
    throw precondition(`deriving needs FUSE, but this machine has no /dev/fuse; ${remedy}`, { cause });
  }
}
