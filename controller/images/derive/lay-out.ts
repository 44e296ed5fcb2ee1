import { createReadStream } from "node:fs";
import { access, mkdir, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { Failure } from "../../../proto/failure.ts";
import { parsePackManifest } from "../../../proto/pack/pack-manifest.ts";
import { precondition } from "../../refusal/refusal.ts";
import type { Image } from "../catalogue/image.ts";
import { decompress } from "../formats/decompress.ts";
import { findRootPartition } from "../import/examine-image.ts";
import { writeRawFile } from "../import/write-raw-file.ts";
import { deriveFromImage } from "./derive-from-image.ts";
import { deriveFromTree } from "./derive-from-tree.ts";
import { measurePlain } from "./measure-plain.ts";
import { planDerivation } from "./plan-derivation.ts";
import { receiveSource } from "./receive-source.ts";

/** What to lay out: new content in the layout of an old image. */
export interface LayOutRequest {
  readonly old: Image;
  /** The new content; see DeriveRequest. Read first, to its end. */
  readonly source: AsyncIterable<Uint8Array>;
  /** How the old image is stored: first its manifest is read, then its pack, each once. */
  stored(which: "manifest" | "pack"): AsyncIterable<Uint8Array>;
  /** An empty folder of this process alone. */
  readonly folder: string;
  readonly signal: AbortSignal;
  readonly onStep: (step: string) => void;
}

/** A raw image that was laid out. Lengths in bytes. */
export interface LaidOut {
  /** May be read once, while the folder is there. */
  readonly raw: AsyncIterable<Uint8Array>;
  readonly sizeBytes: number;
  readonly notes: readonly string[];
  /** What a card would have to write if the new image were added as it is; absent where a tree was given. */
  readonly plainWriteBytes?: number;
}

/** Lays out an image: by this process, or by one that may make files of any owner. Throws as `layOut` does. */
export type LayOut = (request: LayOutRequest) => Promise<LaidOut>;

/**
 * Gives the old image the new content, in files of the folder. Throws Refusal "precondition" for a process or a machine that
 * cannot, Failure `unsupported`, `image-damaged`, `tool-failed`, `cancelled`; errors of `source` come through.
 */
export const layOut: LayOut = async ({ old, source, stored, folder, signal, onStep }) => {
  await assertCanMount();
  const received = await receiveSource(source, join(folder, "new"), signal);
  const targetPath = join(folder, "derived.raw");
  const oldPack = parsePackManifest(await bytesOf(stored("manifest")));
  const restore = async () => {
    onStep(`restoring ${old.name}`);
    await restoreRaw(old, stored("pack"), targetPath, signal);
  };
  const workFolder = join(folder, "work");
  await mkdir(workFolder);
  const derivation = { targetPath, workFolder, signal, onStep };
  let notes: readonly string[] = [];
  let plainWriteBytes: number | undefined;
  if (received.kind === "tree") {
    await restore();
    notes = await deriveFromTree(received.path, old, derivation);
  } else {
    onStep("examining");
    const { table, partitions, rootPartition } = await findRootPartition(received.path, signal);
    const sizeBytes = (await stat(received.path)).size;
    const plan = planDerivation(old, { sizeBytes, partitionTable: table.kind, partitions, rootPartition });
    onStep("comparing");
    plainWriteBytes = await measurePlain(received.path, partitions, oldPack, signal);
    await restore();
    await deriveFromImage(received.path, plan, table.kind, derivation);
  }
  // Frees disk space.
  await rm(received.path, { recursive: true });
  return {
    raw: createReadStream(targetPath, { highWaterMark: 1 << 20 }),
    sizeBytes: (await stat(targetPath)).size,
    notes,
    ...(plainWriteBytes !== undefined && { plainWriteBytes }),
  };
};

/** Writes an image of the catalogue to a new file, uncompressed, and checks that it is what was stored. */
async function restoreRaw(
  image: Image,
  pack: AsyncIterable<Uint8Array>,
  path: string,
  signal: AbortSignal,
): Promise<void> {
  const { digest } = await writeRawFile(path, decompress(pack, "zstd", signal));
  if (digest !== image.digest) {
    throw new Failure("image-damaged", `the stored image ${image.name} is damaged; add it again`, {
      expected: image.digest,
      found: digest,
    });
  }
}

async function bytesOf(stream: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const pieces: Uint8Array[] = [];
  for await (const piece of stream) pieces.push(piece);
  return Buffer.concat(pieces);
}

/** Of all work on images, only deriving makes files of other owners. */
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
