import { mkdir, open, unlink } from "node:fs/promises";
import { join } from "node:path";
import { Failure } from "../../../proto/failure.ts";
import { copyRange } from "./copy-range.ts";
import { type ForeignSpace, openForeignSpace } from "./foreign-space.ts";

/** An ext filesystem inside a raw image that this process alone uses. */
export interface ExtPlace {
  readonly path: string;
  readonly offsetBytes: number;
  /** Of its partition. */
  readonly lengthBytes: number;
}

/** How to repair, and what to say where that is not possible. */
export interface ExtRepair {
  /** Start of the message, for example "an ext filesystem in the old image is damaged, and e2fsck cannot repair it". */
  readonly damaged: string;
  readonly signal: AbortSignal;
}

/** What the superblock of an ext filesystem says of it (Documentation/filesystems/ext4/super.rst). */
export interface ExtTraits {
  readonly blockBytes: number;
  /** INCOMPAT_INLINE_DATA: small files are in inodes. */
  readonly hasInlineData: boolean;
  /** INCOMPAT_RECOVER: there is a journal to replay. */
  readonly needsRecovery: boolean;
}

/** Reads the superblock. Throws the errors of the file. */
export async function readExtTraits({ path, offsetBytes }: Omit<ExtPlace, "lengthBytes">): Promise<ExtTraits> {
  const file = await open(path, "r");
  try {
    const { buffer } = await file.read(Buffer.alloc(1024), 0, 1024, offsetBytes + 1024);
    const incompatible = buffer.readUInt32LE(0x60);
    return {
      blockBytes: 1024 << (buffer.readUInt32LE(0x18) & 7),
      hasInlineData: (incompatible & 0x8000) !== 0,
      needsRecovery: (incompatible & 0x4) !== 0,
    };
  } finally {
    await file.close();
  }
}

/**
 * Repairs what can be repaired without asking, in a filesystem that a space sees, named as e2fsprogs take it. One with a
 * journal to replay is recovered first, by recoverExt. Throws Failure `image-damaged`, `cancelled`.
 */
export async function repairExt(
  space: ForeignSpace,
  filesystem: string,
  { damaged, signal }: ExtRepair,
): Promise<void> {
  try {
    await space.run("e2fsck", ["-f", "-p", filesystem], { signal, expected: [0, 1] });
  } catch (cause) {
    if (signal.aborted) throw cause;
    throw new Failure("image-damaged", `${damaged}: ${Failure.from(cause).message}`, { cause });
  }
}

/**
 * Replays the journal of a filesystem that was not unmounted, if it has one to replay: in a file of its own, because
 * e2fsck(8) 1.47 forgets the offset when it opens the filesystem again after that.
 *
 * @param workFolder an empty folder of this process alone
 * @throws Failure `image-damaged`, `tool-failed`, `cancelled`
 */
export async function recoverExt(place: ExtPlace, workFolder: string, repair: ExtRepair): Promise<void> {
  if (!(await readExtTraits(place)).needsRecovery) return;
  const alone = { path: join(workFolder, "alone.raw"), offsetBytes: 0 };
  await copyRange(place, alone, place.lengthBytes, repair.signal);
  const top = join(workFolder, "alone");
  await mkdir(top, { recursive: true });
  const space = await openForeignSpace(top, [{ path: alone.path, as: "alone.raw" }]);
  try {
    await repairExt(space, "/alone.raw", repair);
  } finally {
    await space.close();
  }
  await copyRange(alone, place, place.lengthBytes, repair.signal);
  await unlink(alone.path);
}
