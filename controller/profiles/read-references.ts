import { dirname } from "node:path";
import process from "node:process";
import { limits } from "../../proto/limits.ts";
import type { Problem } from "./located.ts";
import { noText, readBounded, utf8Of } from "./read-bounded.ts";
import type { Reference } from "./select-references.ts";

/** Files that profiles name, as they are now. */
export interface ReadFiles {
  /** By absolute path. */
  readonly files: ReadonlyMap<string, Uint8Array>;
  readonly problems: readonly Problem[];
}

/**
 * Reads the files that profiles name. What cannot be read, what is not in the profile's folder, what others could read that
 * is a secret, and what is to be a text and is none, is a problem.
 */
export async function readReferences(references: readonly Reference[]): Promise<ReadFiles> {
  const files = new Map<string, Uint8Array>();
  const problems: Problem[] = [];
  for (const reference of references) {
    const { path, place } = reference;
    const read = await readReference(reference);
    if (typeof read === "string") problems.push({ place, problem: `${path} ${read}` });
    else files.set(path, read);
  }
  return { files, problems };
}

/** What is in it, or what is wrong with it, as a clause. */
async function readReference({ path, place, isSecret, isText }: Reference): Promise<Uint8Array | string> {
  const read = await readBounded(
    path,
    ({ mode, size, uid, gid }) => {
      const isGroupOurs = uid === 0 && process.getuid?.() !== 0 && gid === process.getgid?.();
      // Root's, that the controller's own group may read: for a controller that is not root there is no stricter way.
      const others = isGroupOurs ? 0o037 : 0o077;
      if (isSecret && (mode & others) !== 0)
        return `is a secret that others may read: chmod ${isGroupOurs ? "640" : "600"} ${path}`;
      if (isSecret && uid !== 0 && uid !== process.getuid?.())
        return `is a secret that belongs to another user (uid ${uid}): chown it to the controller's`;
      const most = limits.config.fileBytes.most;
      return size > most ? `has ${size} bytes; a file of a node has at most ${most}` : undefined;
    },
    dirname(place.file),
  );
  return typeof read !== "string" && isText && utf8Of(read) === undefined ? noText : read;
}
