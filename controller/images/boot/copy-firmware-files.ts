import { mkdir, readFile, stat } from "node:fs/promises";
import { dirname, join, posix } from "node:path";
import { Failure } from "../../../proto/failure.ts";
import type { FirmwareBoot, ImageFirmware, ImageNote, KernelFormat } from "../catalogue/image.ts";
import { type PiBoard, piBoards } from "../catalogue/pi-board.ts";
import { printable } from "../filesystems/printable.ts";
import { maximumBytes } from "./boot-file-limits.ts";
import { findFile } from "./choose-boot-files.ts";
import { type BoardBoot, canStart, chooseFirmwareBoots } from "./choose-firmware-boot.ts";
import type { FirmwarePartition } from "./firmware-partition.ts";
import type { DeviceTree } from "./judge-kernel-origin.ts";
import { parseConfigTxt } from "./parse-config-txt.ts";
import { readKernelFormat } from "./read-kernel-format.ts";
import { selectFirmwareFiles } from "./select-firmware-files.ts";

/** The folder of these files in the image's boot folder. */
export const firmwareFolder = "firmware";

/** What was copied of a firmware partition. */
export interface CopiedFirmware {
  readonly firmware: ImageFirmware;
  /** Formats of the kernels that were looked at, by path. */
  readonly formatOf: (path: string) => Promise<KernelFormat>;
  /** The device trees of boards. */
  readonly trees: readonly DeviceTree[];
  readonly notes: readonly ImageNote[];
}

/**
 * Copies every file that a Pi's firmware could ask for into a folder of `bootFolder`, and finds out what each board
 * would load. Throws Failure `unsupported` when these files are larger than those of any system.
 */
export async function copyFirmwareFiles(
  { files, configTxt, included }: FirmwarePartition,
  bootFolder: string,
): Promise<CopiedFirmware> {
  const folder = join(bootFolder, firmwareFolder);
  const named = [...included, ...(configTxt?.namedFiles ?? [])];
  const { kept, skipped } = selectFirmwareFiles(await files.list(), await files.listOthers(), named);
  let left: number = maximumBytes.firmware;
  for (const path of kept) {
    const destination = join(folder, path);
    await mkdir(dirname(destination), { recursive: true });
    await files.copyOut(path, destination, Math.min(left, maximumBytes.firmwareFile));
    left -= (await stat(destination)).size;
    if (left > 0) continue;
    throw new Failure("unsupported", "the boot files of the image's firmware partition are too large", {
      expected: `at most ${maximumBytes.firmware} bytes`,
      found: "more",
    });
  }

  const formats = new Map<string, Promise<KernelFormat>>();
  const formatOf = (path: string): Promise<KernelFormat> => {
    const known = formats.get(path) ?? readKernelFormat(join(folder, path));
    formats.set(path, known);
    return known;
  };
  const config = findFile(kept, "config.txt");
  const boots: { boards: PiBoard[]; boot: BoardBoot; kernelFormat: KernelFormat }[] = [];
  for (const board of piBoards) {
    for (const boot of chooseFirmwareBoots(board, kept, configTxt ?? parseConfigTxt(""))) {
      const kernelFormat = await formatOf(boot.kernel);
      if (!canStart(board, kernelFormat)) continue;
      const same = boots.find((other) => JSON.stringify(other.boot) === JSON.stringify(boot));
      if (same === undefined) boots.push({ boards: [board], boot, kernelFormat });
      else same.boards.push(board);
      break;
    }
  }
  return {
    firmware: {
      folder: firmwareFolder,
      files: kept,
      ...(config !== undefined && { configTxt: config }),
      boots: boots.map(({ boards, boot, kernelFormat }): FirmwareBoot => ({ boards, ...boot, kernelFormat })),
    },
    formatOf,
    trees: await readDeviceTrees(folder, kept),
    notes: skipped.length === 0 ? [] : [{ kind: "skipped-files", detail: listSkipped(skipped) }],
  };
}

/** A foreign filesystem can have tens of thousands of such names, and the detail goes wherever the image is shown. */
const mostShown = 20;

function listSkipped(paths: readonly string[]): string {
  const shown = paths.slice(0, mostShown).map(printable).join(", ");
  return paths.length <= mostShown ? shown : `${shown} and ${paths.length - mostShown} more`;
}

const treeMagic = 0xd00dfeed;

async function readDeviceTrees(folder: string, files: readonly string[]): Promise<DeviceTree[]> {
  const trees: DeviceTree[] = [];
  for (const path of files.filter((file) => /^bcm2.*\.dtb$/i.test(posix.basename(file)))) {
    const bytes = await readFile(join(folder, path));
    const isTree = bytes.length > 4 && bytes.readUInt32BE(0) === treeMagic;
    trees.push({ path, ...(isTree && { hasOverrides: bytes.includes("__overrides__") }) });
  }
  return trees;
}
