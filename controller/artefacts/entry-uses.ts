import { once } from "node:events";
import { join, resolve } from "node:path";
import { Failure } from "../../proto/failure.ts";
import { execa } from "../../proto/linux/leashed-execa.ts";

/** What this process uses, by lock file. */
const held = new Map<string, Promise<void>>();

/** The file whose lock says that an entry is in use, and whose time of change says since when nobody wanted it. */
export function useFile(cacheDirectory: string, name: string): string {
  return resolve(join(cacheDirectory, `.${name}.use`));
}

/** Keeps an entry from being removed for as long as this process lives, and remembers that it was wanted now. */
export function holdEntry(cacheDirectory: string, name: string): Promise<void> {
  const file = useFile(cacheDirectory, name);
  const holding = held.get(file) ?? hold(file);
  held.set(file, holding);
  holding.catch(() => held.delete(file));
  return holding;
}

/**
 * Removes an entry that nobody uses, as one step for whoever looks. Returns whether nobody did.
 *
 * An entry that is only half removed must not be found: it gets another name first, one that the next build of it clears.
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
 * Holds flock(2) by a child that ends with its standard input, so that the lock ends with this process, however that ends.
 * A shell opens the file, as what Node opens no child inherits.
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
  // Once it is held, that this ends is nobody's concern.
  ended.catch(() => undefined);
  await Promise.race([once(holder.stdout, "data"), ended]);
  // Nothing of it keeps this process alive.
  for (const part of [holder, holder.stdin, holder.stdout, holder.stderr] as unknown as { unref(): void }[])
    part.unref();
}
