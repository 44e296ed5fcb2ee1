import { randomUUID } from "node:crypto";
import { chmod, copyFile, mkdir, readdir, readFile, rename, rm, symlink, writeFile } from "node:fs/promises";
import { join, posix } from "node:path";
import { Failure } from "../../proto/failure.ts";
import type { FollowRules } from "../../proto/linux/follow-path.ts";
import { followInside, readInside } from "../../proto/linux/foreign-root.ts";
import type { RootView } from "../../proto/system/examine-root.ts";

/** Files of a root filesystem that is in a folder, by their paths in it. No link of it leads out of the folder. */
export interface RootTree extends RootView {
  /** Names of what is in a folder; none when there is no such folder. */
  list(path: string): Promise<readonly string[]>;
  /** Puts a file there, in one step, in place of a file or link; its folder is made when it does not exist. */
  placeText(path: string, text: string, mode: number): Promise<void>;
  placeFile(path: string, source: string, mode: number): Promise<void>;
  placeLink(path: string, target: string): Promise<void>;
}

/** Opens the root filesystem in a folder. Links in it, absolute ones too, are followed as the system itself would. */
export function rootTree(folder: string): RootTree {
  const follow = async (path: string, rules: FollowRules): Promise<string | undefined> => {
    const end = await followInside(folder, path, rules);
    if (end.kind === "too-many-links")
      throw new Failure("invalid", `too many links at ${path} in the root filesystem ${folder}`);
    return end.kind === "found" ? end.path : undefined;
  };
  const resolve = (path: string) => follow(path, { missing: "absent", lastLink: "followed" });
  const place = async (path: string, make: (temporary: string) => Promise<void>): Promise<void> => {
    const end = await follow(path, { missing: "kept", lastLink: "kept" });
    if (end === undefined) throw new Error(`${path} leads nowhere in the root filesystem ${folder}`);
    const to = join(folder, end);
    const parent = posix.dirname(to);
    await mkdir(parent, { recursive: true });
    const temporary = join(parent, `.pallet-${randomUUID()}`);
    try {
      await make(temporary);
      await rename(temporary, to);
    } catch (error) {
      await rm(temporary, { force: true });
      throw error;
    }
  };
  const withMode = (mode: number) => ({ mode, flag: "wx" });
  return {
    resolve,
    readStart: (path, maxBytes) => readInside(folder, path, maxBytes),
    async list(path) {
      const end = await resolve(path);
      if (end === undefined) return [];
      return readdir(join(folder, end)).catch((error: NodeJS.ErrnoException) => {
        if (error.code === "ENOTDIR") return [];
        throw error;
      });
    },
    async readText(path) {
      const end = await resolve(path);
      return end === undefined ? undefined : readFile(join(folder, end), "utf8");
    },
    placeText: (path, text, mode) => place(path, (temporary) => writeFile(temporary, text, withMode(mode))),
    placeFile: (path, source, mode) =>
      place(path, async (temporary) => {
        await copyFile(source, temporary);
        await chmod(temporary, mode);
      }),
    placeLink: (path, target) => place(path, (temporary) => symlink(target, temporary)),
  };
}
