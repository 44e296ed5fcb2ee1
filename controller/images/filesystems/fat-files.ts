import { parseMdir, renderDrive } from "../../../proto/disk/mtools.ts";
import { Failure } from "../../../proto/failure.ts";
import { readToolOutput } from "./read-tool-output.ts";
import { isSafePath } from "./safe-path.ts";

/** Where a filesystem is inside a raw image. */
export interface FilesystemPlace {
  readonly imagePath: string;
  readonly offsetBytes: number;
  readonly signal?: AbortSignal | undefined;
}

const maximumListingBytes = 4 * 1024 * 1024;

/** Files of a FAT filesystem inside an image, read by mtools(1) without mounting. */
export interface FatFiles {
  /** Paths of all files, relative to the root; those with names that are not plain words are left out. */
  list(): Promise<readonly string[]>;
  /** Paths of the files that `list` leaves out, for messages only. */
  listOthers(): Promise<readonly string[]>;
  /** Text of a file, or undefined when there is none of that name (case does not count, as FAT has it). */
  readText(path: string, maximumBytes: number): Promise<string | undefined>;
  copyOut(path: string, destination: string, maximumBytes: number): Promise<void>;
}

/** Opens a FAT filesystem; nothing is read yet. */
export function fatFiles({ imagePath, offsetBytes, signal }: FilesystemPlace): FatFiles {
  const drive = renderDrive(imagePath, offsetBytes);
  const readListing = async (): Promise<readonly string[]> => {
    const args = ["-i", drive, "-b", "-a", "-/", "::/"];
    const result = await readToolOutput({ command: "mdir", args, maximumBytes: maximumListingBytes, signal });
    const paths = parseMdir(result.exitCode, result.output.toString("utf8"), result.errors);
    if (paths === undefined) {
      throw new Failure("image-damaged", `a FAT partition of the image cannot be read: ${result.errors.trim()}`);
    }
    return paths.filter((path) => !path.endsWith("/"));
  };
  let listing: Promise<readonly string[]> | undefined;
  const listAll = () => {
    listing ??= readListing();
    return listing;
  };
  const list = async () => (await listAll()).filter(isSafePath);
  return {
    list,
    listOthers: async () => (await listAll()).filter((path) => !isSafePath(path)),
    async readText(path, maximumBytes) {
      const lower = path.toLowerCase();
      const paths = await list();
      const found =
        paths.find((candidate) => candidate === path) ?? paths.find((other) => other.toLowerCase() === lower);
      if (found === undefined) return undefined;
      const args = ["-i", drive, `::/${found}`];
      const result = await readToolOutput({ command: "mtype", args, maximumBytes, signal });
      refuseUnread(result, path);
      return result.output.toString("utf8");
    },
    async copyOut(path, destination, maximumBytes) {
      if (!isSafePath(path)) throw new Failure("invalid", `"${path}" is not a valid path in an image`);
      const args = ["-i", drive, `::/${path}`];
      refuseUnread(await readToolOutput({ command: "mtype", args, maximumBytes, signal }, destination), path);
    },
  };
}

function refuseUnread(result: { readonly exitCode: number; readonly errors: string }, path: string): void {
  if (result.exitCode === 0) return;
  throw new Failure("image-damaged", `"${path}" in the image's FAT partition cannot be read: ${result.errors.trim()}`);
}
