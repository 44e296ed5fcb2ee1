import { mkdir, mkdtemp, readdir, readFile, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { Failure } from "../../proto/failure.ts";
import type { Digest } from "../nodes/node.ts";
import { alreadyExists, notFound, precondition } from "../refusal.ts";
import type { Image, ImageName } from "./image.ts";
import { flush, type ImportProgress, importImage, storeFiles } from "./import-image.ts";
import { parseImageName, parseManifest } from "./parse-manifest.ts";

/** Where what cannot be returned to a caller is said; a pino logger fulfils it. */
export interface ImageStoreLog {
  warn(details: object, message: string): void;
}

/** An image file to add. */
export interface NewImage {
  readonly name: string;
  /** Bytes of the file: a raw disk image, plain or compressed with gzip, xz or zstd. */
  readonly source: AsyncIterable<Uint8Array>;
  /** Their number, where known. */
  readonly fileBytes?: number;
  readonly signal: AbortSignal;
  readonly onProgress?: (progress: ImportProgress) => void;
}

/** The catalogue of images and what is stored of them. */
export interface ImageStore {
  /** By name. */
  list(): Promise<readonly Image[]>;
  get(name: string): Promise<Image | undefined>;
  /** The first by name of those with this content. */
  getByDigest(digest: Digest): Promise<Image | undefined>;
  /**
   * Imports an image. The same content under the same name again is a success that changes nothing; other content under
   * a name that is taken is refused. The same content may have several names. Throws as importImage does.
   */
  add(image: NewImage): Promise<Image>;
  /** Throws Refusal "not-found". Whether anything still needs the image is the caller's question. */
  remove(name: string): Promise<void>;
  /** Absolute path of the image's zstd file; undefined when there is no such image. */
  storedFile(digest: Digest): string | undefined;
  /** Absolute path of a boot file that the manifest names; undefined for any other. */
  bootFile(digest: Digest, file: string): string | undefined;
}

/** Names of folders that are being filled or removed; what is left of a crash is removed at the next start. */
const temporaryPrefix = ".unfinished-";

/**
 * Opens the image store, one folder an image: `<directory>/<name>/{manifest.json,image.zst,boot/…}`. An image whose
 * manifest cannot be read is left out with a warning. The directory belongs to this one process from then on.
 */
export async function createImageStore(options: {
  readonly directory: string;
  readonly log: ImageStoreLog;
  /** Milliseconds since the epoch. */
  readonly now?: () => number;
}): Promise<ImageStore> {
  const { directory, log, now = Date.now } = options;
  // debugfs and mtools take these for the start of an offset.
  if (/[?]|@@/.test(directory))
    throw new Failure("invalid", `"${directory}": the image folder's path may hold no "?" or "@@"`);
  await mkdir(directory, { recursive: true });
  const images = await readAll(directory, log);
  const busy = new Set<string>();

  const sorted = () => [...images.values()].toSorted((a, b) => (a.name < b.name ? -1 : 1));
  const byDigest = (digest: Digest) => sorted().find((image) => image.digest === digest);

  /** The image of this name if it has this content; refuses other content. */
  const known = (name: ImageName, digest: Digest): Image | undefined => {
    const present = images.get(name);
    if (present === undefined || present.digest === digest) return present;
    throw alreadyExists(
      `there is an image ${name} already, with other content (${present.operatingSystem}, ` +
        `${present.digest.slice(0, 12)}…): choose another name, or remove that one first`,
    );
  };

  const publish = async (unfinished: string, image: Image): Promise<void> => {
    try {
      await rename(unfinished, join(directory, image.name));
    } catch (cause) {
      const code = (cause as NodeJS.ErrnoException).code;
      if (code !== "ENOTEMPTY" && code !== "EEXIST" && code !== "ENOTDIR") throw cause;
      const message = `${join(directory, image.name)} is in the way and is no usable image: look into it, then remove it`;
      throw precondition(message, { cause });
    }
    await flush(directory);
    images.set(image.name, image);
  };

  return {
    list: async () => sorted(),
    get: async (name) => images.get(name),
    getByDigest: async (digest) => byDigest(digest),

    async add({ name: given, ...rest }) {
      const name = parseImageName(given);
      if (busy.has(name)) throw precondition(`an image ${name} is being added or removed right now`);
      busy.add(name);
      try {
        const unfinished = await mkdtemp(join(directory, temporaryPrefix));
        try {
          const image = await importImage(unfinished, {
            ...rest,
            name,
            now,
            known: (digest) => known(name, digest),
          });
          if (images.get(name) !== image) await publish(unfinished, image);
          return image;
        } finally {
          // After success there is nothing left of it.
          await rm(unfinished, { recursive: true, force: true });
        }
      } finally {
        busy.delete(name);
      }
    },

    async remove(name) {
      if (!images.has(name)) throw notFound(`there is no image ${name}`);
      if (busy.has(name)) throw precondition(`an image ${name} is being added or removed right now`);
      busy.add(name);
      try {
        // Under another name first, so that a crash leaves no half image.
        const going = await mkdtemp(join(directory, temporaryPrefix));
        await rename(join(directory, name), join(going, name));
        images.delete(name);
        await flush(directory);
        await rm(going, { recursive: true, force: true });
      } finally {
        busy.delete(name);
      }
    },

    storedFile(digest) {
      const image = byDigest(digest);
      return image && join(directory, image.name, storeFiles.image);
    },
    bootFile(digest, file) {
      const image = byDigest(digest);
      if (image === undefined) return undefined;
      const { kernel, initrd, deviceTrees } = image.boot;
      return [kernel, initrd, ...deviceTrees].includes(file)
        ? join(directory, image.name, storeFiles.boot, file)
        : undefined;
    },
  };
}

/** Removes what a crash left over, reads every manifest. */
async function readAll(directory: string, log: ImageStoreLog): Promise<Map<string, Image>> {
  const images = new Map<string, Image>();
  for (const entry of await readdir(directory, { withFileTypes: true })) {
    const path = join(directory, entry.name);
    if (entry.name.startsWith(temporaryPrefix)) await rm(path, { recursive: true, force: true });
    else if (entry.isDirectory() && !entry.name.startsWith(".")) {
      try {
        const image = parseManifest(await readFile(join(path, storeFiles.manifest), "utf8"));
        if (image.name !== entry.name) throw new Failure("image-damaged", `it says that the image is ${image.name}`);
        images.set(image.name, image);
      } catch (error) {
        log.warn(
          { err: error, path },
          `the image in ${path} is left out, its ${storeFiles.manifest} cannot be used: ${Failure.from(error).message}`,
        );
      }
    }
  }
  return images;
}
