import { generateKeyPairSync } from "node:crypto";
import { lstat, readdir, statfs } from "node:fs/promises";
import { join } from "node:path";
import { Failure } from "../../proto/failure.ts";
import { limits } from "../../proto/limits.ts";
import { isDiskFull } from "../../proto/linux/disk-full.ts";
import { errorCodeOf } from "../../proto/linux/error-code-of.ts";
import { readInside, readTextInside, resolveInside } from "../../proto/linux/foreign-root.ts";
import type { Edit } from "../../proto/system/config/edit.ts";
import { examineAbilities, type ListedRoot } from "../../proto/system/config/examine-abilities.ts";
import { judgeConfig } from "../../proto/system/config/judge-config.ts";
import { parseHostKey, renderEd25519Key } from "../../proto/system/config/openssh-key.ts";
import { planEdits } from "../../proto/system/config/plan-edits.ts";
import { hasOwnHostKeys, needsMadeHostKey } from "../../proto/system/config/plan-ssh.ts";
import type { SystemConfig } from "../../proto/system/system-config.ts";
import { placeFile, placeFolder, placeLink, placeOf, removeFile, syncFilesystem } from "./place-file.ts";
import { type Change, needOf, workOutChanges } from "./system-changes.ts";

/** What to make of a system. */
export interface ConfigureSystem {
  /** Folder at which its root filesystem is mounted. */
  readonly root: string;
  readonly config: SystemConfig;
  /** Digest of the config. */
  readonly digest: string;
  /** Bytes that are to be placed besides. */
  readonly otherBytes: number;
}

/** Changes that are worked out, and checked against what they are made in. */
export interface Configuration {
  /** Public host keys of the new system, as "ssh-ed25519 AAAA…". */
  readonly hostKeys: readonly string[];
  /** Makes the changes. Throws as the filesystem does; what is then made of them is unknown. */
  apply(signal?: AbortSignal): Promise<void>;
}

/** Space to leave free, so that the system can write its first logs. */
const spareBytes = 4 * 1024 * 1024;

/**
 * Works out what a config makes of a system, and checks all of it before anything is written: whether the system can
 * take it, every path, every text that is amended, and the room. Applying the same to what came of it changes nothing.
 * Nothing of the system is run, and secrets are in no message.
 *
 * Throws a Failure: `unsupported` for what the system cannot take, `invalid` for a system in which it cannot be made,
 * `too-small`.
 */
export async function prepareConfiguration(request: ConfigureSystem): Promise<Configuration> {
  const { root, config, digest, otherBytes } = request;
  const abilities = await examineAbilities(viewOf(root));
  const refusals = judgeConfig(config, abilities);
  if (refusals.length > 0)
    throw new Failure("unsupported", `the image cannot take what the profile says: ${refusals.join("; ")}`);
  const made = needsMadeHostKey(config.ssh, abilities) ? [makeHostKey(config.hostname ?? "pallet")] : [];
  const given = hasOwnHostKeys(config.ssh, abilities) ? (config.ssh?.hostKeys ?? []) : [];
  const edits: readonly Edit[] = planEdits(config, abilities, { digest, madeHostKeys: made });
  const changes = await workOutChanges(root, edits);
  await requireRoom(root, changes, otherBytes);
  return {
    hostKeys: [...given, ...made].map((text) => parseHostKey(text)?.publicLine).filter((line) => line !== undefined),
    async apply(signal) {
      for (const change of changes) {
        signal?.throwIfAborted();
        await make(root, change);
      }
      await syncFilesystem(root);
    },
  };
}

/** The root filesystem in a folder, links followed inside it. */
export function viewOf(root: string): ListedRoot {
  return {
    resolve: (path) => resolveInside(root, path),
    readStart: (path, maxBytes) => readInside(root, path, maxBytes),
    readText: (path) => readTextInside(root, path, limits.config.systemFileBytes.most),
    async list(path) {
      const place = await resolveInside(root, path);
      if (place === undefined || !(await lstat(join(root, place))).isDirectory()) return [];
      return readdir(join(root, place));
    },
  };
}

function makeHostKey(comment: string): string {
  return renderEd25519Key(generateKeyPairSync("ed25519").privateKey, comment).privateText;
}

async function requireRoom(root: string, changes: readonly Change[], otherBytes: number): Promise<void> {
  const { bsize, bfree, files, ffree } = await statfs(root);
  const need = needOf(changes, bsize);
  const [needed, free] = [need.bytes + otherBytes + spareBytes, bfree * bsize];
  if (needed > free)
    throw new Failure(
      "too-small",
      `the image's root filesystem has no room for what the profile says: ${needed} bytes are needed, ${free} are free; ` +
        'enlarge that filesystem before "images add", or say less',
      { expected: String(needed), found: String(free) },
    );
  // Filesystems that make inodes as they need them count none.
  if (files > 0 && need.files > ffree)
    throw new Failure(
      "too-small",
      `the image's root filesystem has no room for ${need.files} more files: it has inodes for ${ffree}`,
      { expected: String(need.files), found: String(ffree) },
    );
}

/** What the codes of errors mean that come of the image. */
const hints: Readonly<Record<string, string>> = {
  EPERM: " (it or its folder is immutable: chattr -i in the image)",
  EROFS: " (its filesystem is read-only)",
};

async function make(root: string, change: Change): Promise<void> {
  try {
    switch (change.kind) {
      case "file": {
        const { path, content, mode, owner } = change;
        return await placeFile({ root, ...placeOf(path), content, mode, owner, isSynced: false });
      }
      case "link": {
        const { path, target, owner } = change;
        return await placeLink({ root, ...placeOf(path), target, owner, isSynced: false });
      }
      case "folder": {
        const [first = "", ...others] = change.path.split("/").slice(1);
        if (change.replacesLink === true) await removeFile({ root, ...placeOf(change.path), isSynced: false });
        return await placeFolder({ root, folders: [first, ...others], mode: change.mode, owner: change.owner });
      }
      case "remove":
        return await removeFile({ root, ...placeOf(change.path), isSynced: false });
    }
  } catch (error) {
    if (error instanceof Failure) throw error;
    // The system's own words name the path by a number of ours.
    const why = errorCodeOf(error) ?? "unknown";
    throw new Failure(
      isDiskFull(error) ? "too-small" : "device-error",
      `cannot ${change.kind === "remove" ? "remove" : "write"} ${change.path} of the new system: ${why}${hints[why] ?? ""}`,
      {
        cause: error,
      },
    );
  }
}
