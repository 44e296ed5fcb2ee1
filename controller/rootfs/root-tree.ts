import { randomUUID } from "node:crypto";
import {
  chmod,
  copyFile,
  lstat,
  mkdir,
  readdir,
  readFile,
  readlink,
  rename,
  rm,
  symlink,
  writeFile,
} from "node:fs/promises";
import { join, posix } from "node:path";
import { Failure } from "../../proto/failure.ts";

const maximumLinks = 40;

/** Files of a root filesystem that lies in a folder, by their paths in it. No link of it leads out of the folder. */
export interface RootTree {
  /** Where a path leads to in the end, in the root; undefined when there is nothing. */
  resolve(path: string): Promise<string | undefined>;
  /** Names of what is in a folder; none when there is no such folder. */
  list(path: string): Promise<readonly string[]>;
  /** Text of a file; undefined when there is none. */
  readText(path: string): Promise<string | undefined>;
  /** Puts a file there, in one step, in the place of a file or link; its folder is made when it does not exist. */
  placeText(path: string, text: string, mode: number): Promise<void>;
  placeFile(path: string, source: string, mode: number): Promise<void>;
  placeLink(path: string, target: string): Promise<void>;
}

/** Opens the root filesystem in a folder. Links in it, absolute ones too, are followed as the system itself would. */
export function rootTree(folder: string): RootTree {
  /** Follows links component by component (path_resolution(7)); what does not exist stays as it is named. */
  const follow = async (path: string, last: boolean): Promise<string> => {
    let rest = path.split("/").filter((part) => part !== "" && part !== ".");
    let at = "/";
    for (let links = 0; rest.length > 0; ) {
      const [part = "", ...others] = rest;
      rest = others;
      if (part === "..") {
        at = posix.dirname(at);
        continue;
      }
      const next = posix.join(at, part);
      const isLink = (await lstat(join(folder, next)).catch(() => undefined))?.isSymbolicLink() ?? false;
      if (!isLink || (rest.length === 0 && !last)) {
        at = next;
        continue;
      }
      if (++links > maximumLinks)
        throw new Failure("invalid", `too many links at ${path} in the root filesystem ${folder}`);
      const target = await readlink(join(folder, next));
      if (target.startsWith("/")) at = "/";
      rest = [...target.split("/").filter((word) => word !== "" && word !== "."), ...rest];
    }
    return at;
  };
  const place = async (path: string, make: (temporary: string) => Promise<void>): Promise<void> => {
    const to = join(folder, await follow(path, false));
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
    async resolve(path) {
      const end = await follow(path, true);
      return (await lstat(join(folder, end)).catch(() => undefined)) === undefined ? undefined : end;
    },
    async list(path) {
      const end = await follow(path, true);
      return readdir(join(folder, end)).catch((error: NodeJS.ErrnoException) => {
        if (error.code === "ENOENT" || error.code === "ENOTDIR") return [];
        throw error;
      });
    },
    async readText(path) {
      const text = readFile(join(folder, await follow(path, true)), "utf8");
      return text.catch((error: NodeJS.ErrnoException) => {
        if (error.code === "ENOENT") return undefined;
        throw error;
      });
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
