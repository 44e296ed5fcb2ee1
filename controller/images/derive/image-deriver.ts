import { createReadStream } from "node:fs";
import { readFile } from "node:fs/promises";
import { Failure } from "../../../proto/failure.ts";
import { isDiskFull } from "../../../proto/linux/disk-full.ts";
import { type PackManifest, parsePackManifest } from "../../../proto/pack/pack-manifest.ts";
import { imagesDiskFull } from "../../refusal/disk-full.ts";
import { alreadyExists, notFound, precondition, Refusal } from "../../refusal/refusal.ts";
import { requireImage } from "../catalogue/find-image.ts";
import type { Image } from "../catalogue/image.ts";
import { parseImageName } from "../catalogue/parse-manifest.ts";
import { withUnfinishedFolder } from "../catalogue/unfinished-folder.ts";
import type { ImageStore } from "../image-store.ts";
import type { ImportProgress } from "../import/import-image.ts";
import { untilAborted } from "../import/until-aborted.ts";
import { comparePacks } from "./compare-packs.ts";
import type { LayOut } from "./lay-out.ts";

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
  layOut,
}: {
  readonly images: DerivableImages;
  readonly directory: string;
  readonly layOut: LayOut;
}): ImageDeriver {
  const busy = new Set<string>();
  return {
    async derive(request) {
      const name = parseImageName(request.name);
      const old = await requireImage(images, request.from);
      if ((await images.get(name)) !== undefined)
        throw alreadyExists(`an image ${name} already exists: choose another name, or remove it first`);
      if (busy.has(name)) throw precondition(`an image ${name} is already being derived`);
      busy.add(name);
      try {
        return await withUnfinishedFolder(directory, (folder) =>
          deriveIn(folder, old, { ...request, name }, images, layOut),
        );
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
  layOut: LayOut,
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
    const oldPack = await readPackManifest(old, images);
    const { raw, sizeBytes, notes, plainWriteBytes } = await layOut({
      old,
      source: counted(),
      stored: (which) => createReadStream(packFileOf(old, images, which), { highWaterMark: 1 << 20 }),
      folder,
      signal,
      onStep,
    });
    const image = await images.add({
      name,
      source: raw,
      fileBytes: sizeBytes,
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
    if (!(error instanceof Refusal) && isDiskFull(error))
      throw imagesDiskFull(folder, error, "both images uncompressed");
    throw error;
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
