import { mkdir, readdir, readFile, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { Failure } from "../../proto/failure.ts";
import { limits } from "../../proto/limits.ts";
import { flush } from "../../proto/linux/flush.ts";
import type { ImageDigest, ManifestDigest } from "../../proto/pack/digest.ts";
import { shortDigest } from "../../proto/pack/digest.ts";
import { type Clock, systemClock } from "../../proto/time/clock.ts";
import { alreadyExists, precondition, Refusal } from "../refusal/refusal.ts";
import type { HandedFile } from "../uploads/handed-file.ts";
import { parseBlockMap } from "./block-map/parse-block-map.ts";
import { checkStoredPack } from "./catalogue/check-stored-pack.ts";
import { findFirmwareFile } from "./catalogue/find-firmware-file.ts";
import { noSuchImage } from "./catalogue/find-image.ts";
import type { Image, ImageName } from "./catalogue/image.ts";
import { isOutdatedManifest, parseImageName, parseManifest } from "./catalogue/parse-manifest.ts";
import { clearUnfinished, withUnfinishedFolder } from "./catalogue/unfinished-folder.ts";
import { type ImportProgress, importImage, importRaw, type RawRequest, storeFiles } from "./import/import-image.ts";

/** Where to report what cannot be returned to a caller; a pino logger implements it. */
export interface ImageStoreLog {
  warn(details: object, message: string): void;
}

/** An image file to add. */
export interface NewImage {
  readonly name: string;
  /** Bytes of the file: a raw disk image, plain or compressed with gzip, xz, zstd or ZIP. */
  readonly source: AsyncIterable<Uint8Array>;
  /** Their number, where known. */
  readonly fileBytes?: number;
  /** Content of the block map (.bmap) that belongs to it. */
  readonly blockMap?: Uint8Array;
  /** Whether nodes are to hold every block, those that a filesystem calls free included. */
  readonly everything?: boolean;
  /** The digest that the uncompressed image must have; any other image is refused. */
  readonly expectedDigest?: ImageDigest;
  /** Called with pieces of the source that nobody needs any more; see ImportRequest. */
  readonly release?: (piece: Uint8Array) => void;
  /** The file itself; see ImportRequest. */
  readonly file?: HandedFile;
  readonly signal: AbortSignal;
  readonly onProgress?: (progress: ImportProgress) => void;
}

/** The catalogue of images and their stored content. */
export interface ImageStore {
  /** By name. */
  list(): Promise<readonly Image[]>;
  get(name: string): Promise<Image | undefined>;
  /** The first by name of those with this content. */
  getByDigest(digest: ImageDigest): Promise<Image | undefined>;
  /** The first by name of those whose pack has this manifest. */
  getByManifest(manifestDigest: ManifestDigest): Promise<Image | undefined>;
  /**
   * Imports an image. The same content under the same name again is a success that changes nothing; other content under
   * a name that is taken is refused. The same content may have several names. Throws as importImage and parseBlockMap
   * do.
   */
  add(image: NewImage): Promise<Image>;
  /**
   * Adds an image that its own source writes as a raw file: see importRaw. A name that is taken is refused before
   * anything is written. Throws as importRaw does.
   */
  addRaw(image: Pick<RawRequest, "fill" | "signal" | "onProgress"> & { readonly name: string }): Promise<Image>;
  /** Throws Refusal "not-found". The caller checks whether anything still needs the image. */
  remove(name: string): Promise<void>;
  /** Absolute path of the pack of an image with this content, a zstd file of it; undefined when there is none. */
  storedFile(digest: ImageDigest): string | undefined;
  /** Absolute path of the pack that has this manifest, or of the manifest itself; undefined when there is none. */
  packFile(manifestDigest: ManifestDigest, which: "pack" | "manifest"): string | undefined;
  /**
   * Absolute path of a boot file that the manifest names; undefined for any other. Those of the firmware partition are
   * below its folder, "firmware/overlays/README", and are found whatever the case of their names.
   */
  bootFile(digest: ImageDigest, file: string): string | undefined;
}

const mostAtOnce = limits.uploads.atOnce.most;

/**
 * Opens the image store, one folder per image: `<directory>/<name>/{manifest.json,image.zst,image.manifest,boot/…}`. An
 * image that cannot be used is left out with a warning. The directory belongs to this one process from then on.
 */
export async function createImageStore(options: {
  readonly directory: string;
  readonly log: ImageStoreLog;
  readonly clock?: Pick<Clock, "now">;
}): Promise<ImageStore> {
  const { directory, log, clock = systemClock } = options;
  // debugfs and mtools take these for the start of an offset.
  if (/[?]|@@/.test(directory))
    throw new Failure("invalid", `"${directory}": the image folder's path must not contain "?" or "@@"`);
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const { images, outdated } = await readAll(directory, log);
  const busy = new Set<string>();
  let underWay = 0;

  const sorted = () => [...images.values()].toSorted((a, b) => (a.name < b.name ? -1 : 1));
  const byDigest = (digest: ImageDigest) => sorted().find((image) => image.digest === digest);
  const byManifest = (digest: ManifestDigest) => sorted().find(({ pack }) => pack.manifestDigest === digest);

  /** The image of this name if it has this content, packed as asked; refuses another one. */
  const known = (name: ImageName, digest: ImageDigest, everything: boolean): Image | undefined => {
    const present = images.get(name);
    if (present === undefined) return undefined;
    if (present.digest === digest) {
      if (!everything || present.everything === true) return present;
      throw alreadyExists(
        `image ${name} exists already, and was added without --everything: choose another name, or remove it first`,
      );
    }
    throw alreadyExists(
      `an image ${name} with different content already exists (${present.operatingSystem}, ` +
        `${shortDigest(present.digest)}…): choose another name, or remove it first`,
    );
  };

  const publish = async (unfinished: string, image: Image): Promise<void> => {
    try {
      if (outdated.delete(image.name)) await rm(join(directory, image.name), { recursive: true });
      await rename(unfinished, join(directory, image.name));
    } catch (cause) {
      const code = (cause as NodeJS.ErrnoException).code;
      if (code !== "ENOTEMPTY" && code !== "EEXIST" && code !== "ENOTDIR") throw cause;
      const message = `${join(directory, image.name)} is in the way and is not a usable image: inspect it, then remove it`;
      throw precondition(message, { cause });
    }
    await flush(directory);
    images.set(image.name, image);
  };

  const common = (name: ImageName): Pick<RawRequest, "name" | "clock" | "onAllUsed"> => ({
    name,
    clock,
    onAllUsed: ({ number, filesystemType }, why) =>
      log.warn(
        { image: name, partition: number, filesystemType },
        `nodes are sent all of partition ${number} of image ${name}: ${why}`,
      ),
  });

  /** Has an image made in a folder of its own, and adds it. */
  const adding = async (name: ImageName, make: (unfinished: string) => Promise<Image>): Promise<Image> => {
    if (busy.has(name)) throw precondition(`an image ${name} is already being added or removed`);
    if (underWay >= mostAtOnce)
      throw new Refusal("exhausted", `${mostAtOnce} images are being added already: wait until one of them is done`, {
        reason: "invalid",
      });
    busy.add(name);
    underWay += 1;
    try {
      return await withUnfinishedFolder(directory, async (unfinished) => {
        const image = await make(unfinished);
        if (images.get(name) !== image) await publish(unfinished, image);
        return image;
      });
    } finally {
      underWay -= 1;
      busy.delete(name);
    }
  };

  return {
    list: async () => sorted(),
    get: async (name) => images.get(name),
    getByDigest: async (digest) => byDigest(digest),
    getByManifest: async (manifestDigest) => byManifest(manifestDigest),

    async add({ name: given, blockMap: blockMapBytes, ...rest }) {
      const name = parseImageName(given);
      const blockMap = blockMapBytes && parseBlockMap(blockMapBytes);
      return await adding(name, (unfinished) =>
        importImage(unfinished, {
          ...rest,
          ...(blockMap && { blockMap }),
          ...common(name),
          known: (digest) => known(name, digest, rest.everything === true),
        }),
      );
    },

    async addRaw({ name: given, ...rest }) {
      const name = parseImageName(given);
      if (images.has(name))
        throw alreadyExists(`an image ${name} already exists: choose another name, or remove it first`);
      return await adding(name, (unfinished) => importRaw(unfinished, { ...rest, ...common(name) }));
    },

    async remove(name) {
      if (!images.has(name)) throw noSuchImage(name);
      if (busy.has(name)) throw precondition(`an image ${name} is already being added or removed`);
      busy.add(name);
      try {
        // Under another name first, so that a crash leaves no half image.
        await withUnfinishedFolder(directory, async (going) => {
          await rename(join(directory, name), join(going, name));
          images.delete(name);
          await flush(directory);
        });
      } finally {
        busy.delete(name);
      }
    },

    storedFile(digest) {
      const image = byDigest(digest);
      return image && join(directory, image.name, storeFiles.pack);
    },
    packFile(manifestDigest, which) {
      const image = byManifest(manifestDigest);
      return image && join(directory, image.name, which === "pack" ? storeFiles.pack : storeFiles.packManifest);
    },
    bootFile(digest, file) {
      const image = byDigest(digest);
      if (image === undefined) return undefined;
      const bootFolder = join(directory, image.name, storeFiles.boot);
      const { kernel, initrd, deviceTrees, firmware } = image.boot;
      if ([kernel, initrd, ...deviceTrees].includes(file)) return join(bootFolder, file);
      if (firmware === undefined || !file.startsWith(`${firmware.folder}/`)) return undefined;
      const found = findFirmwareFile(firmware, file.slice(firmware.folder.length + 1));
      return found && join(bootFolder, firmware.folder, found);
    },
  };
}

/** Removes what a crash left over, reads every image, and reports those of an older Pallet. */
async function readAll(
  directory: string,
  log: ImageStoreLog,
): Promise<{ readonly images: Map<string, Image>; readonly outdated: Set<string> }> {
  for (const path of await clearUnfinished(directory))
    log.warn({ path }, `${path} is left alone: another process is filling it`);
  const images = new Map<string, Image>();
  const outdated = new Set<string>();
  for (const entry of await readdir(directory, { withFileTypes: true })) {
    const path = join(directory, entry.name);
    if (entry.isDirectory() && !entry.name.startsWith(".")) {
      try {
        const description = await readFile(join(path, storeFiles.description), "utf8");
        if (isOutdatedManifest(description)) {
          outdated.add(entry.name);
          log.warn(
            { path },
            `skipping image ${entry.name}: an older Pallet stored it in a form that cannot be sent in parts; add it ` +
              `again with: controller images add ${join(path, storeFiles.pack)} --name ${entry.name}`,
          );
          continue;
        }
        const image = parseManifest(description);
        if (image.name !== entry.name) throw new Failure("image-damaged", `it says that the image is ${image.name}`);
        await checkStoredPack(image, join(path, storeFiles.pack), join(path, storeFiles.packManifest));
        images.set(image.name, image);
      } catch (error) {
        log.warn(
          { err: error, path },
          `skipping the image in ${path}, which cannot be used: ${Failure.from(error).message}`,
        );
      }
    }
  }
  return { images, outdated };
}
