import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { findReturned } from "../customise/firmware-files.ts";
import { parseMountinfo } from "../inventory/parse-mountinfo.ts";

/**
 * Paths of firmware files that a reimage had renamed and that are there again, on the FAT filesystems that are mounted
 * now; one that is not mounted cannot be seen. Rejects with the error of a folder that cannot be read.
 */
export async function readReturnedFirmware(): Promise<readonly string[]> {
  const mounts = parseMountinfo(await readFile("/proc/self/mountinfo", "utf8"));
  const folders = new Set(
    mounts.filter(({ filesystemType }) => filesystemType === "vfat").map(({ mountpoint }) => mountpoint),
  );
  const found: string[] = [];
  for (const folder of folders) {
    for (const name of findReturned(await readdir(folder))) found.push(join(folder, name));
  }
  return found;
}
