import { copyFile, lstat, mkdir, readdir } from "node:fs/promises";
import { dirname, join, relative } from "node:path";

const blockBytes = 4096;

/**
 * Makes a system take up `bytes` by copies of its own files below /home/pi/files: what people keep on their machines,
 * with the sizes and the compressibility of real files. Takes them in the order of their paths, so that two calls for
 * the same system and size do the same. Returns the bytes copied, in whole blocks; less than `bytes` by one small file.
 */
export async function fillTree(from: string, into: string, bytes: number): Promise<number> {
  let filled = 0;
  for (const path of await regularFiles(join(from, "usr"))) {
    const size = Math.ceil((await lstat(path)).size / blockBytes) * blockBytes;
    if (size === 0 || filled + size > bytes) continue;
    const target = join(into, "home/pi/files", relative(from, path));
    await mkdir(dirname(target), { recursive: true });
    await copyFile(path, target);
    filled += size;
    if (bytes - filled < blockBytes) break;
  }
  return filled;
}

async function regularFiles(folder: string): Promise<readonly string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .toSorted();
}
