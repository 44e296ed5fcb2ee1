import { appendFile, copyFile, link, mkdir, readFile, rm, stat } from "node:fs/promises";
import { basename, join } from "node:path";
import { Failure } from "../../../proto/failure.ts";
import type { ImageBoot, ImageNote, KernelFormat } from "../catalogue/image.ts";
import type { ExtFiles } from "../filesystems/ext-files.ts";
import { maximumBytes } from "./boot-file-limits.ts";
import { type BootFiles, chooseBootCandidates } from "./choose-boot-files.ts";
import { type CopiedFirmware, copyFirmwareFiles, firmwareFolder } from "./copy-firmware-files.ts";
import { explainNoKernel, type RejectedKernel } from "./explain-no-kernel.ts";
import type { FirmwarePartition } from "./firmware-partition.ts";
import { judgeKernelOrigin } from "./judge-kernel-origin.ts";
import { readKernelFormat } from "./read-kernel-format.ts";

/** What was copied, as a manifest holds it. */
export type CopiedBoot = Omit<ImageBoot, "commandLine"> & { readonly notes: readonly ImageNote[] };

/** Copies a boot file of this path to a new one. */
type Copy = (path: string, destination: string, maximumBytes: number) => Promise<void>;

/** Kernels that U-Boot's booti takes. */
const forUBoot: ReadonlySet<KernelFormat> = new Set<KernelFormat>(["arm64-image", "arm64-image-gzip"]);

/**
 * Copies what boots the image into `bootFolder`, which it makes: all boot files of the firmware's partition, and the
 * kernel, initrd and device trees for U-Boot: from there, else from /boot or the top of the first of `others` that holds
 * a kernel which U-Boot can start. Throws Failure `unsupported` when nothing here starts any kernel of the image.
 *
 * @returns the names that the files have in `bootFolder`
 */
export async function copyBootFiles(
  firmware: FirmwarePartition | undefined,
  others: readonly ExtFiles[],
  bootFolder: string,
): Promise<CopiedBoot> {
  await mkdir(bootFolder);
  const rejected: RejectedKernel[] = [];
  const copied = firmware && (await copyFirmwareFiles(firmware, bootFolder));
  const kept = copied && { firmware: copied.firmware };
  const notes = copied?.notes ?? [];
  const fromFirmware: Copy = (path, destination) => linkOrCopy(join(bootFolder, firmwareFolder, path), destination);

  if (copied !== undefined) {
    const { files } = copied.firmware;
    const originOf = (kernel: string) => judgeKernelOrigin(files, kernel, true, copied.trees);
    const candidates = chooseBootCandidates(files, firmware?.configTxt?.forUBoot());
    for (const chosen of candidates) {
      const format = await copied.formatOf(chosen.kernel);
      const isEmpty = (await stat(join(bootFolder, firmwareFolder, chosen.kernel))).size === 0;
      if (!forUBoot.has(format))
        rejected.push({ path: chosen.kernel, format: isEmpty ? "empty" : format, place: "firmware" });
      else {
        const flat = await copyAll(fromFirmware, chosen, bootFolder);
        return { ...flat, kernelFormat: format, kernelOrigin: originOf(chosen.kernel), ...kept, notes };
      }
    }
  }
  for (const files of others) {
    for (const folder of ["/boot", "/"]) {
      const copy: Copy = (path, destination, limit) => files.copyOut(join(folder, path), destination, limit);
      for (const chosen of chooseBootCandidates(await files.list(folder))) {
        const kernelPath = join(bootFolder, basename(chosen.kernel));
        await copy(chosen.kernel, kernelPath, maximumBytes.kernel);
        const isEmpty = (await stat(kernelPath)).size === 0;
        const format = await readKernelFormat(kernelPath);
        await rm(kernelPath);
        if (!forUBoot.has(format))
          rejected.push({ path: join(folder, chosen.kernel), format: isEmpty ? "empty" : format, place: "linux" });
        else {
          const flat = await copyAll(copy, chosen, bootFolder);
          return {
            ...flat,
            kernelFormat: format,
            kernelOrigin: judgeKernelOrigin([], chosen.kernel, false, []),
            ...kept,
            notes,
          };
        }
      }
    }
  }
  const onlyByFirmware = copied && (await copyForFirmwareOnly(copied, fromFirmware, bootFolder));
  if (onlyByFirmware !== undefined) return { ...onlyByFirmware, ...kept, notes };
  throw explainNoKernel(rejected);
}

/** A kernel that only the firmware of boards starts, in the place of U-Boot's; undefined when there is none. */
async function copyForFirmwareOnly(
  { firmware: { boots, files }, trees }: CopiedFirmware,
  copy: Copy,
  bootFolder: string,
): Promise<Omit<CopiedBoot, "notes"> | undefined> {
  const [boot] = boots;
  if (boot === undefined) return undefined;
  const { kernel, initrds, kernelFormat } = boot;
  const flat = await copyAll(copy, { kernel, initrds, deviceTrees: [] }, bootFolder);
  return { ...flat, kernelFormat, kernelOrigin: judgeKernelOrigin(files, kernel, true, trees) };
}

async function copyAll(
  copy: Copy,
  chosen: BootFiles,
  bootFolder: string,
): Promise<Pick<ImageBoot, "kernel" | "initrd" | "deviceTrees">> {
  const copied: string[] = [];
  const copyOne = async (path: string, limit: number): Promise<string> => {
    const name = basename(path);
    if (name === firmwareFolder)
      throw new Failure("unsupported", `a boot file of the image is called "${name}", as a folder here; rename it`);
    await copyFilled(copy, path, join(bootFolder, name), limit);
    copied.push(name);
    return name;
  };
  const kernel = await copyOne(chosen.kernel, maximumBytes.kernel);
  const initrd = await copyInitrds(copy, copyOne, chosen.initrds, bootFolder);
  const deviceTrees: string[] = [];
  for (const path of chosen.deviceTrees) {
    // Two folders may hold the same device tree; either copy will do.
    if (!copied.includes(basename(path))) deviceTrees.push(await copyOne(path, maximumBytes.deviceTree));
  }
  return { kernel, ...(initrd !== undefined && { initrd }), deviceTrees };
}

/**
 * Copies initrds as one, since U-Boot loads one: the kernel takes archives one behind the other, each at a multiple of
 * four bytes (Documentation/driver-api/early-userspace/buffer-format.rst).
 */
async function copyInitrds(
  copy: Copy,
  copyOne: (path: string, limit: number) => Promise<string>,
  [first, ...more]: readonly string[],
  bootFolder: string,
): Promise<string | undefined> {
  if (first === undefined) return undefined;
  const name = await copyOne(first, maximumBytes.initrd);
  if (more.length === 0) return name;
  const whole = join(bootFolder, name);
  const bytes = await readFile(whole);
  // Not into a file that is the firmware partition's own as well.
  await rm(whole);
  await appendFile(whole, bytes);
  for (const path of more) {
    const part = `${whole}.part`;
    await copyFilled(copy, path, part, maximumBytes.initrd);
    await appendFile(whole, Buffer.alloc((4 - ((await stat(whole)).size % 4)) % 4));
    await appendFile(whole, await readFile(part));
    await rm(part);
  }
  return name;
}

async function copyFilled(copy: Copy, path: string, destination: string, limit: number): Promise<void> {
  await copy(path, destination, limit);
  if ((await stat(destination)).size === 0) throw new Failure("image-damaged", `"${path}" in the image is empty`);
}

/** A second name for the file, or a copy of it where the filesystem has no such thing. */
async function linkOrCopy(from: string, to: string): Promise<void> {
  try {
    await link(from, to);
  } catch (error) {
    const { code = "" } = error as NodeJS.ErrnoException;
    if (!["EPERM", "ENOTSUP", "EOPNOTSUPP", "ENOSYS", "EMLINK"].includes(code)) throw error;
    await copyFile(from, to);
  }
}
