import { posix } from "node:path";
import { Failure } from "../../../proto/failure.ts";
import { type Answer, debugfsSession, longestRequest } from "./debugfs-session.ts";
import type { FilesystemPlace } from "./fat-files.ts";
import { type FolderEntry, parseErrors, parseFolder, parseFolderEntries, parseInode } from "./parse-debugfs.ts";
import { readToolOutput, type ToolRun } from "./read-tool-output.ts";
import { isDebugfsPath, isSafePath } from "./safe-path.ts";

const maximumAnswerBytes = 1024 * 1024;
const maximumLinks = 8;

/** What is at a path. */
export interface FoundInode {
  readonly isFile: boolean;
  readonly linkTarget?: string;
  /** How many names it has. */
  readonly links: number;
  /** Its number. */
  readonly inode: number;
}

/** Files of an ext2, ext3 or ext4 filesystem inside an image, read by debugfs(8) without mounting. */
export interface ExtFiles {
  /** Whether the path exists; a symbolic link exists whatever it points at. */
  exists(path: string): Promise<boolean>;
  /**
   * Names of the files in a folder; those that are not plain words are left out; empty when there is no such folder.
   */
  list(folder: string): Promise<readonly string[]>;
  /** Text of a regular file, through symbolic links; undefined when there is none. */
  readText(path: string, maximumBytes: number): Promise<string | undefined>;
  copyOut(path: string, destination: string, maximumBytes: number): Promise<void>;
  /** What is at a path, its last part not followed; `isFile` for a regular file. Undefined when there is nothing. */
  lookUp(path: string): Promise<FoundInode | undefined>;
  /**
   * Everything in the folder at a path without links, whatever the names; undefined when there is a name that debugfs
   * cannot list in a line. Empty when there is no such folder.
   */
  listAll(folder: string): Promise<readonly FolderEntry[] | undefined>;
  /** The first bytes of the regular file at a path without links, at most so many. */
  readStart(path: string, maximumBytes: number): Promise<Buffer>;
}

/** Opens an ext filesystem; nothing is read yet. Paths are absolute within it. */
export function extFiles(place: FilesystemPlace): ExtFiles {
  const session = debugfsSession(place);
  const ask = async (request: string, path: string, maximumBytes = maximumAnswerBytes): Promise<Answer> => {
    const words = `${request} ${plainPath(path)}`;
    if (words.length > longestRequest) return askAlone(place, request, path, maximumBytes);
    return refuseUnread(await session.ask(words, maximumBytes));
  };
  const inode = async (path: string) => parseInode((await ask("stat", path)).output.toString("utf8"));

  /** The regular file that a path means in the end. */
  const resolve = async (path: string): Promise<{ readonly path: string; readonly sizeBytes: number } | undefined> => {
    let at = path;
    for (let followed = 0; followed <= maximumLinks; followed++) {
      const found = await inode(at);
      if (found?.type === "regular") return { path: at, sizeBytes: found.sizeBytes };
      if (found?.type !== "symlink" || found.linkTarget === undefined) return undefined;
      at = posix.resolve(posix.dirname(at), found.linkTarget);
      if (!isSafePath(at.slice(1))) return undefined;
    }
    return undefined;
  };

  return {
    exists: async (path) => (await inode(path)) !== undefined,
    async list(folder) {
      const names = parseFolder((await ask("ls -p", folder)).output.toString("utf8"));
      return names.filter((name) => isSafePath(name));
    },
    async readText(path, maximumBytes) {
      const file = await resolve(path);
      if (file === undefined) return undefined;
      // More than that is refused there, before much of it is read.
      const { output } = await (file.sizeBytes > maximumBytes
        ? askAlone(place, "cat", file.path, maximumBytes)
        : ask("cat", file.path, maximumBytes));
      return output.toString("utf8");
    },
    async lookUp(path) {
      const found = await inode(path);
      if (found === undefined) return undefined;
      const { links, inode: number } = found;
      if (found.type !== "symlink") return { isFile: found.type === "regular", links, inode: number };
      // A target of 60 bytes and more is in a block of its own, which debugfs prints as it does a file's.
      const linkTarget = found.linkTarget ?? (await ask("cat", path)).output.toString("utf8");
      return { isFile: false, linkTarget, links, inode: number };
    },
    listAll: async (folder) => parseFolderEntries((await ask("ls -p", folder)).output.toString("utf8")),
    async readStart(path, maximumBytes) {
      const { sizeBytes = 0 } = (await inode(path)) ?? {};
      if (sizeBytes <= maximumBytes) return (await ask("cat", path, maximumBytes)).output;
      return (await askAlone(place, "cat", path, maximumBytes, { excess: "cut" })).output;
    },
    async copyOut(path, destination, maximumBytes) {
      const file = await resolve(path);
      if (file === undefined) throw new Failure("image-damaged", `"${path}" in the image is not a regular file`);
      const { errors } = await askAlone(place, "cat", file.path, maximumBytes, { to: destination });
      const said = parseErrors(errors);
      if (said !== "") throw new Failure("image-damaged", `"${path}" in the image cannot be read: ${said}`);
    },
  };
}

/** By a program of its own: for what is long, or goes to a file. */
async function askAlone(
  { imagePath, offsetBytes, signal }: FilesystemPlace,
  request: string,
  path: string,
  maximumBytes: number,
  { to, excess }: { readonly to?: string; readonly excess?: ToolRun["excess"] } = {},
): Promise<Answer> {
  // The value after "?" is debugfs's; a "?" in the image's own path would be taken for it, so the store has none.
  const args = ["-R", `${request} ${plainPath(path)}`, `${imagePath}?offset=${offsetBytes}`];
  return refuseUnread(await readToolOutput({ command: "debugfs", args, maximumBytes, excess, signal }, to));
}

/** A path of which debugfs takes no part for something else. */
function plainPath(path: string): string {
  if (isDebugfsPath(path.replace(/^\//, "") || "x")) return path;
  throw new Failure("invalid", `"${path}" is not a valid path in an image`);
}

function refuseUnread(answer: Answer): Answer {
  if (/Bad magic|while (trying to open|reading|checking)|Filesystem not open/i.test(answer.errors))
    throw new Failure("image-damaged", `a filesystem of the image cannot be read: ${parseErrors(answer.errors)}`);
  return answer;
}
