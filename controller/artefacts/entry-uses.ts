import { once } from "node:events";
import { join, resolve } from "node:path";
import { Failure } from "../../proto/failure.ts";
import { execa } from "../../proto/linux/leashed-execa.ts";

/** What this process is using, by lock file. */
const held = new Map<string, Promise<void>>();

/** The file whose lock marks an entry as in use, and whose mtime says when it was last wanted. */
export function useFile(cacheDirectory: string, name: string): string {
  return resolve(join(cacheDirectory, `.${name}.use`));
}

/** Protects an entry from removal for as long as this process lives, and records its use. */
export function holdEntry(cacheDirectory: string, name: string): Promise<void> {
  const file = useFile(cacheDirectory, name);
  const holding = held.get(file) ?? hold(file);
  held.set(file, holding);
  holding.catch(() => held.delete(file));
  return holding;
}

/**
 * Removes an unused entry in one atomic step. Returns whether it was unused.
 *
 * A half-removed entry must not be found: it is renamed first, to a name that the next build of it clears.
 */
export async function removeEntry(cacheDirectory: string, name: string): Promise<boolean> {
  const folder = join(cacheDirectory, name);
  const removing = join(cacheDirectory, `.${name}-forgot`);
  const remove = '[ ! -e "$1" ] || mv -T "$1" "$2"; rm -rf "$2"';
  const inUse = 75;
  const lock = ["--exclusive", "--nonblock", `--conflict-exit-code=${inUse}`, useFile(cacheDirectory, name)];
  const { exitCode, stderr } = await execa("flock", [...lock, "sh", "-euc", remove, "sh", folder, removing], {
    reject: false,
  });
  if (exitCode === 0) return true;
  if (exitCode === inUse) return false;
  throw new Error(`${folder} could not be removed: ${stderr}`);
}

/** Removes an entry so that it is made again. Throws Failure "in-use" when someone uses it. */
export async function renewEntry(cacheDirectory: string, name: string): Promise<void> {
  if (await removeEntry(cacheDirectory, name)) return;
  throw new Failure(
    "in-use",
    `${join(cacheDirectory, name)} is in use by another build or a running rack, so it cannot be rebuilt now; try again when that has ended`,
  );
}

/**
 * Holds flock(2) by a child that ends with its standard input, so that the lock ends with this process, however that
 * ends. A shell opens the file, as what Node opens no child inherits.
 */
async function hold(file: string): Promise<void> {
  // To open a file for writing from its beginning is to change it, even when it is empty.
  const script = 'exec 9>"$1"; flock --shared 9; echo held; exec cat >/dev/null';
  const holder = execa("sh", ["-euc", script, "sh", file], { buffer: false, reject: false });
  let complaint = "";
  holder.stderr.setEncoding("utf8").on("data", (text: string) => {
    complaint += text;
  });
  const ended = holder.then(() => {
    throw new Error(`${file} could not be locked: ${complaint.trim()}`);
  });
  // Once the lock is held, the end of this child no longer matters.
  ended.catch(() => undefined);
  await Promise.race([once(holder.stdout, "data"), ended]);
  // It must not keep this process alive.
  for (const part of [holder, holder.stdin, holder.stdout, holder.stderr] as unknown as { unref(): void }[])
    part.unref();
}
