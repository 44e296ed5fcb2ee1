import { randomBytes } from "node:crypto";
import { chmod, mkdir, open, readdir, rename, rm, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { Failure, messageOf } from "../../../proto/failure.ts";
import { errorCodeOf } from "../../../proto/linux/error-code-of.ts";
import { flush } from "../../../proto/linux/flush.ts";

/** A new file that only its owner may read, and that has its name once it is whole. */
export interface BackupFile {
  write(piece: Uint8Array): Promise<void>;
  /** On disk, under its name, when it resolves. */
  keep(): Promise<void>;
  /** Leaves nothing behind. */
  discard(): Promise<void>;
}

/** What a file is called that is not whole yet, beside the one that it is to be. */
const unfinishedName = (name: string): string => `.${name}.${randomBytes(4).toString("hex")}.part`;
const unfinishedForm = /^\..+\.[0-9a-f]{8}\.part$/;

/** Opens one. Rejects with a Failure when there is a file of that name already, or none can be made. */
export async function openBackupFile(path: string): Promise<BackupFile> {
  const cannot = (error: unknown): Failure =>
    new Failure("invalid", `cannot write ${path}: ${describe(error)}`, { cause: error });
  if (await exists(path)) throw new Failure("invalid", `cannot write ${path}: there is such a file already`);
  const unfinished = join(dirname(path), unfinishedName(basename(path)));
  const handle = await open(unfinished, "wx", 0o600).catch((error: unknown) => {
    throw cannot(error);
  });
  return {
    async write(piece) {
      try {
        await handle.writeFile(piece);
      } catch (error) {
        throw cannot(error);
      }
    },
    async keep() {
      try {
        // Whatever the umask says.
        await handle.chmod(0o600);
        await handle.sync();
        await handle.close();
        await rename(unfinished, path);
        await flush(dirname(path));
      } catch (error) {
        throw cannot(error);
      }
    },
    async discard() {
      await handle.close().catch(() => undefined);
      await rm(unfinished, { force: true });
    },
  };
}

/** Makes a folder for backups, its owner's alone, if it is not there. Rejects with a Failure. */
export async function openBackupFolder(folder: string): Promise<void> {
  try {
    if (await exists(folder)) return;
    await mkdir(folder, { mode: 0o700 }).catch(async (error: unknown) => {
      // Asked for several at once, Node says ENOENT of a disk that is read-only.
      if (errorCodeOf(error) !== "ENOENT") throw error;
      await mkdir(folder, { recursive: true, mode: 0o700 });
    });
    await chmod(folder, 0o700);
  } catch (error) {
    throw new Failure("invalid", `cannot make the folder ${folder}: ${describe(error)}`, { cause: error });
  }
}

/** Removes files of a folder, and what backups that were interrupted have left there. Rejects with the error of the system call. */
export async function removeBackups(folder: string, names: readonly string[]): Promise<void> {
  for (const name of names) await rm(join(folder, name), { force: true });
  for (const name of await readdir(folder))
    if (unfinishedForm.test(name)) await rm(join(folder, name), { force: true });
}

async function exists(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined)) !== undefined;
}

function describe(error: unknown): string {
  const code = errorCodeOf(error);
  if (code === "ENOSPC") return "its disk is full";
  return code === "EROFS" ? "its disk is read-only here" : (code ?? messageOf(error));
}
