import { chmod, lchown, mkdir, readdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import process from "node:process";
import { Failure } from "../../proto/failure.ts";
import { mayAccess } from "../../proto/linux/may-access.ts";
import { flushPath } from "../../proto/linux/publish-file.ts";
import type { Config } from "../config/config.ts";
import { filesBelow } from "./file-member.ts";

/** What became of the files that an operator writes himself, and of the images. */
export interface Placed {
  /** Absolute paths of files that were not there. */
  readonly placed: readonly string[];
  /** Of files that are there with another content, and were left as they are. */
  readonly left: readonly string[];
  /** Names of the images that were not there. */
  readonly images: readonly string[];
}

/** Whose the files of a state are. */
export interface Owner {
  readonly uid: number;
  readonly gid: number;
  /** Whether the configuration, profiles and secrets are root's, and the owner's group only reads them. */
  readonly readsSite?: true;
}

/** A file out of a backup, and where it belongs on this machine. */
export interface SiteFile {
  readonly content: Buffer;
  readonly path: string;
}

/** Where profiles and secrets that were unpacked into `folder` belong, as this machine's configuration says. */
export async function siteFilesOf(folder: string, config: Config): Promise<readonly SiteFile[]> {
  const secrets = await filesBelow(join(folder, "hook-secrets"), { hidden: true });
  const profiles = await filesBelow(join(folder, "profiles"), { hidden: true });
  const places = [
    ...config.hooks.flatMap(({ name, action }) =>
      action.kind === "webhook" && secrets.files.includes(name)
        ? [{ staged: join(folder, "hook-secrets", name), path: action.secretFile }]
        : [],
    ),
    ...profiles.files.map((path) => ({
      staged: join(folder, "profiles", path),
      path: join(config.profileDirectory, path),
    })),
  ];
  return Promise.all(places.map(async ({ staged, path }) => ({ content: await readFile(staged), path })));
}

/** Places the files that are missing here, or none. Rejects with the error of the system call. */
export async function placeFiles(files: readonly SiteFile[], owner: Owner): Promise<Omit<Placed, "images">> {
  const [placed, left]: [string[], string[]] = [[], []];
  try {
    for (const { content, path } of files) {
      const here = await readFile(path).catch((error: NodeJS.ErrnoException) => {
        if (error.code !== "ENOENT") throw error;
        return undefined;
      });
      if (here !== undefined) {
        if (!here.equals(content)) left.push(path);
        continue;
      }
      await mkdir(dirname(path), { recursive: true, mode: 0o755 });
      await writeFile(path, content, { flag: "wx", mode: 0o600 });
      placed.push(path);
      if (owner.readsSite) {
        await lchown(path, 0, owner.gid);
        await chmod(path, 0o640);
      } else await giveTo(path, owner);
      flushPath(path);
      flushPath(dirname(path));
    }
  } catch (error) {
    for (const path of placed) await rm(path, { force: true });
    throw error;
  }
  return { placed, left };
}

/**
 * Refuses images that would take the place of others. Rejects with a Failure (invalid) that names the first.
 *
 * @returns the names of those that are to be placed
 */
export async function chooseImages(stagedFolder: string, imageDirectory: string): Promise<readonly string[]> {
  const chosen: string[] = [];
  for (const name of await readdir(stagedFolder)) {
    const here = join(imageDirectory, name);
    if (!(await mayAccess(here))) {
      chosen.push(name);
      continue;
    }
    const manifests = [here, join(stagedFolder, name)].map((folder) => readFile(join(folder, "manifest.json"), "utf8"));
    const [own, other] = await Promise.all(manifests.map((read) => read.catch(() => undefined)));
    if (own === undefined || own !== other)
      throw new Failure("invalid", `${here} is another image than ${name} in the backup: move it away first`);
  }
  return chosen;
}

/** Puts images into their place. */
export async function placeImages(
  names: readonly string[],
  stagedFolder: string,
  imageDirectory: string,
): Promise<void> {
  for (const name of names) await rename(join(stagedFolder, name), join(imageDirectory, name));
  if (names.length > 0) flushPath(imageDirectory);
}

/** Gives a file, or a folder with all that is in it, to whom the state belongs: a controller need not run as root. */
export async function giveTo(path: string, { uid, gid }: Owner): Promise<void> {
  if (process.geteuid?.() !== 0 || uid === 0) return;
  await lchown(path, uid, gid);
  if (!(await stat(path)).isDirectory()) return;
  for (const name of await readdir(path)) await giveTo(join(path, name), { uid, gid });
}
