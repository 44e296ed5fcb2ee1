import { mkdir, stat } from "node:fs/promises";
import { basename, join } from "node:path";
import { Failure } from "../../../proto/failure.ts";
import type { ExtFiles } from "../filesystems/ext-files.ts";
import type { FatFiles } from "../filesystems/fat-files.ts";
import { maximumBytes } from "./boot-file-limits.ts";
import { type BootFiles, chooseBootFiles, kernelNames } from "./choose-boot-files.ts";
import type { FirmwarePartition } from "./firmware-partition.ts";

/**
 * Copies what boots the image into `bootFolder`, which it makes: from the firmware's partition, else from /boot or the
 * top of the first of `others` that holds a kernel.
 *
 * @returns the names that the files have in `bootFolder`
 */
export async function copyBootFiles(
  firmware: FirmwarePartition | undefined,
  others: readonly ExtFiles[],
  bootFolder: string,
): Promise<BootFiles> {
  await mkdir(bootFolder);
  if (firmware?.chosen !== undefined) return await copyAll(firmware.files, "", firmware.chosen, bootFolder);
  for (const files of others) {
    for (const folder of ["/boot", "/"]) {
      const chosen = chooseBootFiles(await files.list(folder));
      if (chosen !== undefined) return await copyAll(files, folder, chosen, bootFolder);
    }
  }
  throw new Failure(
    "unsupported",
    `found no Linux kernel in the image: there is no ${kernelNames} in a FAT partition or in /boot of ` +
      "its root filesystem",
  );
}

async function copyAll(
  from: Pick<FatFiles, "copyOut">,
  folder: string,
  chosen: BootFiles,
  bootFolder: string,
): Promise<BootFiles> {
  const copied: string[] = [];
  const copy = async (path: string, limit: number): Promise<string> => {
    const name = basename(path);
    const destination = join(bootFolder, name);
    await from.copyOut(join(folder, path), destination, limit);
    if ((await stat(destination)).size === 0) throw new Failure("image-damaged", `"${path}" in the image is empty`);
    copied.push(name);
    return name;
  };
  const kernel = await copy(chosen.kernel, maximumBytes.kernel);
  const initrd = chosen.initrd === undefined ? undefined : await copy(chosen.initrd, maximumBytes.initrd);
  const deviceTrees: string[] = [];
  for (const path of chosen.deviceTrees) {
    // Two folders may hold the same device tree; either copy will do.
    if (!copied.includes(basename(path))) deviceTrees.push(await copy(path, maximumBytes.deviceTree));
  }
  return { kernel, ...(initrd !== undefined && { initrd }), deviceTrees };
}
