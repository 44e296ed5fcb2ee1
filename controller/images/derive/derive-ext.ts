import { mkdir, rename, unlink } from "node:fs/promises";
import { join } from "node:path";
import { Failure } from "../../../proto/failure.ts";
import { copyRange } from "./copy-range.ts";
import { type Admitted, type ForeignSpace, openForeignSpace } from "./foreign-space.ts";
import { listingFormat, parseTreeListing, type TreeEntry } from "./parse-tree-listing.ts";
import { underivable } from "./plan-derivation.ts";
import { planTreeMoves } from "./plan-tree-moves.ts";
import { type ExtPlace, type ExtRepair, recoverExt, repairExt } from "./repair-ext.ts";

/** Where the new content comes from. */
export type ExtSource =
  | { readonly kind: "image"; readonly place: ExtPlace; readonly uuid: string; readonly label: string }
  | {
      readonly kind: "folder";
      readonly path: string;
      /** Paths from the top whose content is another filesystem's: "/boot/firmware". */
      readonly elsewhere: readonly string[];
    };

/** What to make of an ext filesystem. */
export interface ExtDerivation {
  readonly target: ExtPlace;
  /** Whether there is more room in its place than before, which it should have. */
  readonly grown: boolean;
  readonly source: ExtSource;
  /** An empty folder for what is needed meanwhile, of this process alone. */
  readonly workFolder: string;
  readonly signal: AbortSignal;
  /** Whole percents of what is to be copied. */
  readonly onPercent: (percent: number) => void;
}

/** All attributes; compared by content, because builds differ in times; written in place, keeping holes. */
const rsyncOptions = [
  ...["--archive", "--hard-links", "--acls", "--xattrs", "--xattrs", "--numeric-ids", "--open-noatime"],
  ...["--checksum", "--inplace", "--whole-file", "--sparse", "--delete-before", "--no-inc-recursive"],
];

/**
 * Gives an ext filesystem the file tree of another, or of a folder, with every file that did not change left where it
 * is and the others written over themselves as far as they reach. The result has been compared with the source and
 * checked by e2fsck(8). From an image it takes over UUID and label as well. No filesystem is mounted by the kernel: see
 * ForeignSpace, which needs root and /dev/fuse.
 *
 * Throws Failure `unsupported` for too little room, `image-damaged`, `tool-failed`, `cancelled`.
 */
export async function deriveExt(derivation: ExtDerivation): Promise<void> {
  const { source, workFolder, signal } = derivation;
  const [oldRepair, newRepair] = [repairOf("the old image", signal), repairOf("the new image", signal)];
  const top = join(workFolder, "space");
  await mkdir(top);
  const from: Admitted =
    source.kind === "folder" ? { path: source.path, as: "tree" } : { path: source.place.path, as: "new.raw" };
  if (derivation.grown) await grow(derivation, top, oldRepair);
  else await recoverExt(derivation.target, workFolder, oldRepair);
  if (source.kind === "image") await recoverExt(source.place, workFolder, newRepair);
  const space = await openForeignSpace(top, [{ path: derivation.target.path, as: "old.raw" }, from]);
  try {
    const target = { ...derivation.target, path: "/old.raw" };
    await repairExt(space, withOffset(target), oldRepair);
    if (source.kind === "folder") await copyInto(space, target, "/tree", derivation);
    else {
      const place = { ...source.place, path: "/new.raw" };
      await repairExt(space, withOffset(place), newRepair);
      const mounted = await space.mount({
        ...{ file: place.path, offsetBytes: place.offsetBytes, access: "read", at: "new", signal },
      });
      await copyInto(space, target, mounted.path, derivation);
      await mounted.close();
      await identify(space, target, source, signal);
    }
    // Mount point and mount count of our own mount must not remain in the image.
    await space.run("tune2fs", ["-M", "/", "-C", "0", withOffset(target)], { signal });
    await space.run("e2fsck", ["-f", "-n", withOffset(target)], { signal });
  } finally {
    await space.close();
  }
}

async function copyInto(
  space: ForeignSpace,
  target: ExtPlace,
  content: string,
  derivation: ExtDerivation,
): Promise<void> {
  const { signal } = derivation;
  const into = await space.mount({
    ...{ file: target.path, offsetBytes: target.offsetBytes, access: "write", at: "old", signal },
  });
  await copyTree(space, content, into.path, derivation);
  await into.close();
}

/** How what is mounted next is made sound. */
function repairOf(whose: string, signal: AbortSignal): ExtRepair {
  return { damaged: `an ext filesystem in ${whose} is damaged, and e2fsck cannot repair it automatically`, signal };
}

/**
 * Grows a filesystem to the end of its place, in a file of its own: of a larger file, resize2fs(8) would cut off what it
 * believes to be after the filesystem.
 */
async function grow({ target, workFolder, signal }: ExtDerivation, top: string, repair: ExtRepair): Promise<void> {
  const { path, offsetBytes, lengthBytes } = target;
  const alone = join(workFolder, "grown.raw");
  await copyRange({ path, offsetBytes }, { path: alone, offsetBytes: 0 }, lengthBytes, signal);
  const space = await openForeignSpace(top, [{ path: alone, as: "old.raw" }]);
  try {
    await repairExt(space, "/old.raw", repair);
    await space.run("resize2fs", ["/old.raw"], { signal });
  } catch (cause) {
    if (signal.aborted || (cause as Failure).reason === "image-damaged") throw cause;
    throw underivable(`the old image's last partition cannot grow to its size: ${Failure.from(cause).message}`, cause);
  } finally {
    await space.close();
  }
  await mkdir(top, { recursive: true });
  await copyRange({ path: alone, offsetBytes: 0 }, { path, offsetBytes }, lengthBytes, signal);
  await unlink(alone);
}

async function copyTree(
  space: ForeignSpace,
  from: string,
  into: string,
  { source, signal, onPercent }: ExtDerivation,
): Promise<void> {
  const list = async (folder: string): Promise<TreeEntry[]> =>
    parseTreeListing(await space.runOnFiles("find", [folder, "-xdev", "-printf", listingFormat], { signal }));
  const next = await list(from);
  const moves = planTreeMoves(await list(into), next);
  const top = Buffer.from(`${space.pathOf(into)}/`);
  const pathOf = (path: string) => Buffer.concat([top, Buffer.from(path, "latin1")]);
  for (const path of moves.unlink) await unlink(pathOf(path));
  for (const path of moves.makeFolders) await mkdir(pathOf(path));
  for (const [path, to] of moves.rename) await rename(pathOf(path), pathOf(to));

  // A folder has no lost+found of its own; and what belongs into another filesystem is not this one's.
  const left = source.kind === "folder" ? ["/lost+found", ...source.elsewhere.map((path) => `${path}/*`)] : [];
  const args = [...rsyncOptions, ...left.map((path) => `--exclude=${path}`), `${from}/`, `${into}/`];
  const onOutput = (text: string) => {
    const percent = /(\d+)%/.exec(text)?.[1];
    if (percent !== undefined) onPercent(Number(percent));
  };
  try {
    await space.runOnFiles("rsync", ["--info=progress2", ...args], { signal, onOutput });
  } catch (error) {
    if (error instanceof Failure && /No space left on device/.test(error.message)) {
      const message = "the ext filesystem of the old image is too small for the new content";
      throw new Failure("unsupported", message, { cause: error });
    }
    throw error;
  }

  const difference = await space.runOnFiles("rsync", ["--dry-run", "--itemize-changes", ...args], { signal });
  // Comparing names shows what rsync does not look for: names that share a file only in the result.
  const result = planTreeMoves(await list(into), next);
  if (difference !== "" || result.unlink.length > 0) {
    throw new Failure("verify-mismatch", "the derived filesystem does not match the new content", {
      expected: "no difference from the new content",
      found: [...difference.split("\n").slice(0, 3), ...result.unlink.slice(0, 3)]
        .join("; ")
        .replaceAll(/\p{C}/gu, "?"),
    });
  }
}

/** UUID and label, by which the new system's own configuration may name the filesystem. */
async function identify(
  space: ForeignSpace,
  target: ExtPlace,
  { uuid, label }: { readonly uuid: string; readonly label: string },
  signal: AbortSignal,
): Promise<void> {
  const features = await space.run("dumpe2fs", ["-h", withOffset(target)], { signal });
  const isUuid = /^Filesystem UUID: +(\S+)$/m.exec(features)?.[1] === uuid;
  // Checksums of all metadata start from the UUID, and would all change, unless what they start from is kept apart.
  const keepsSums =
    /^Filesystem features:.* metadata_csum( |$)/m.test(features) && !features.includes("metadata_csum_seed");
  if (!isUuid && keepsSums) await space.run("tune2fs", ["-O", "metadata_csum_seed", withOffset(target)], { signal });
  if (!isUuid) await space.run("tune2fs", ["-U", uuid, withOffset(target)], { signal });
  await space.run("tune2fs", ["-L", label, withOffset(target)], { signal });
}

/** A filesystem inside a file, as e2fsprogs take it. */
function withOffset({ path, offsetBytes }: ExtPlace): string {
  return `${path}?offset=${offsetBytes}`;
}
