import { constants } from "node:fs";
import {
  access,
  chmod,
  lstat,
  mkdir,
  open,
  readdir,
  readFile,
  readlink,
  rename,
  rm,
  rmdir,
  symlink,
} from "node:fs/promises";
import path from "node:path";
import { Failure, messageOf } from "../../proto/failure.ts";
import { isDiskFull } from "../../proto/linux/disk-full.ts";
import { flush } from "../../proto/linux/flush.ts";
import { execa } from "../../proto/linux/leashed-execa.ts";
import { systemEnvironment } from "../network/supervise-process.ts";
import type { Content, Written } from "./content.ts";

/** The parts of a machine that a setup reads and changes. */
export interface Machine {
  read(file: string): Promise<Content>;
  /** The id of the user that a file belongs to; undefined where there is none. */
  ownerOf(file: string): Promise<number | undefined>;
  /** Replaces what is there in one step: whatever happens, the old or the new is there, and it outlives a power cut. */
  write(file: string, content: Written): Promise<void>;
  /** Also what a write that was interrupted left. */
  remove(file: string): Promise<void>;
  /** Makes a folder in one that exists. */
  makeFolder(folder: string): Promise<void>;
  /** Removes a folder if it is empty. */
  removeFolder(folder: string): Promise<void>;
  folderExists(folder: string): Promise<boolean>;
  /** Runs a program to its end. Throws Failure "tool-failed" with what it said. */
  run(program: string, ...args: readonly string[]): Promise<string>;
}

/** What a write that has not ended is called; no program reads files of such names. */
const draftSuffix = ".pallet-new";

/**
 * This machine.
 *
 * @param root the folder to take for its root; only tests have another than "/"
 */
export function thisMachine(root = "/"): Machine {
  const at = (file: string): string => path.join(root, file);
  return {
    async read(file) {
      const status = await lstat(at(file)).catch(absent);
      if (status === undefined) return { kind: "absent" };
      if (status.isSymbolicLink()) return { kind: "link", to: await readlink(at(file)) };
      if (!status.isFile()) return { kind: "other" };
      return { kind: "file", text: await readFile(at(file), "utf8"), mode: status.mode & 0o7777 };
    },
    ownerOf: async (file) => (await lstat(at(file)).catch(absent))?.uid,
    async write(file, content) {
      const draft = `${at(file)}${draftSuffix}`;
      try {
        await rm(draft, { force: true });
        await writeDraft(draft, content);
        await rename(draft, at(file));
        await flush(path.dirname(at(file)));
      } catch (error) {
        // The space that it takes may be the last that an undo has.
        await rm(draft, { force: true });
        throw cannot("write", file, error);
      }
    },
    async remove(file) {
      await rm(`${at(file)}${draftSuffix}`, { force: true });
      await rm(at(file), { force: true });
      await flush(path.dirname(at(file))).catch(absent);
    },
    async makeFolder(folder) {
      try {
        await mkdir(at(folder));
        // Whatever the umask: systemd-networkd, for one, reads its files as a user of its own.
        await chmod(at(folder), 0o755);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw cannot("make", folder, error);
      }
      await flush(path.dirname(at(folder)));
    },
    async removeFolder(folder) {
      await rmdir(at(folder)).catch((error: NodeJS.ErrnoException) => {
        if (!["ENOENT", "ENOTEMPTY", "EEXIST"].includes(error.code ?? "")) throw error;
      });
    },
    async folderExists(folder) {
      return (await lstat(at(folder)).catch(absent)) !== undefined;
    },
    async run(program, ...args) {
      const { failed, stdout, stderr, shortMessage } = await execa(program, args, {
        reject: false,
        stdin: "ignore",
        env: systemEnvironment,
      });
      if (!failed) return stdout;
      const said = stderr.trim() === "" ? (shortMessage ?? "it failed") : stderr.trim();
      throw new Failure("tool-failed", `${[program, ...args].join(" ")}: ${said}`);
    },
  };
}

async function writeDraft(draft: string, content: Written): Promise<void> {
  if (content.kind === "link") return await symlink(content.to, draft);
  const handle = await open(draft, "wx", content.mode);
  try {
    await handle.writeFile(content.text);
    // Whatever the umask.
    await handle.chmod(content.mode);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

function cannot(verb: string, place: string, cause: unknown): Failure {
  const why = isDiskFull(cause) ? "its disk is full" : messageOf(cause);
  return new Failure("invalid", `cannot ${verb} ${place}: ${why}`, { cause });
}

/** Why a folder, or the nearest above it that exists, cannot be written to; undefined where it can. */
export async function whyUnwritable(folder: string): Promise<string | undefined> {
  for (let at = folder; ; at = path.dirname(at)) {
    try {
      await access(at, constants.W_OK);
      return undefined;
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === "ENOENT" && at !== path.dirname(at)) continue;
      return code === "EROFS" ? "its filesystem is read-only" : messageOf(error);
    }
  }
}

/** The texts of the files that are there; of a path that ends with "/", of all files in that folder. */
export async function readPlaces(places: readonly string[]): Promise<ReadonlyMap<string, string>> {
  const found = new Map<string, string>();
  for (const place of places) {
    const isFolder = place.endsWith("/");
    const names = isFolder ? ((await readdir(place).catch(absent)) ?? []) : [""];
    for (const name of names.toSorted()) {
      const text = await readFile(`${place}${name}`, "utf8").catch(absent);
      if (text !== undefined) found.set(`${place}${name}`, text);
    }
  }
  return found;
}

/** For what is not there, or is a folder among files. */
function absent(error: NodeJS.ErrnoException): undefined {
  if (["ENOENT", "ENOTDIR", "EISDIR"].includes(error.code ?? "")) return undefined;
  throw error;
}
