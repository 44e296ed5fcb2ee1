import { posix } from "node:path";
import type { KernelFormat } from "../catalogue/image.ts";
import type { PiBoard } from "../catalogue/pi-board.ts";
import { chooseBootCandidates, findFile, indexFiles, isBootLoader } from "./choose-boot-files.ts";
import type { ConfigTxt } from "./parse-config-txt.ts";

/** What the firmware of one board loads; paths as they were listed. */
export interface BoardBoot {
  readonly kernel: string;
  readonly initrds: readonly string[];
  readonly osPrefix: string;
  readonly overlayPrefix: string;
}

const newest: ReadonlySet<PiBoard> = new Set(["pi5", "pi500", "cm5"]);
const pi4: ReadonlySet<PiBoard> = new Set(["pi4", "pi400", "cm4", "cm4s"]);

/**
 * What could be started on a board, the likeliest first: what its firmware loads by config.txt; where that is a boot
 * loader or nothing, the kernels that lie there, since the names of kernel and initrd come from Pallet.
 */
export function chooseFirmwareBoots(
  board: PiBoard,
  files: readonly string[],
  configTxt: ConfigTxt,
): readonly BoardBoot[] {
  const own = chooseFirmwareBoot(board, files, configTxt);
  const config = configTxt.forBoard(board);
  const conventional = chooseBootCandidates(files, config).map(({ kernel, initrds }): BoardBoot => {
    const osPrefix = kernel.toLowerCase().startsWith(config.osPrefix.toLowerCase()) ? config.osPrefix : "";
    return { kernel, initrds, osPrefix, overlayPrefix: overlayPrefixOf(files, osPrefix, config.overlayPrefix) };
  });
  const isLinux = own !== undefined && !isBootLoader(own.kernel);
  return isLinux ? [own, ...conventional.filter(({ kernel }) => kernel !== own.kernel)] : conventional;
}

/** Whether the firmware of a board starts such a kernel. */
export function canStart(board: PiBoard, format: KernelFormat): boolean {
  if (format === "arm32-zimage") return !newest.has(board);
  return format === "arm64-image" || format === "arm64-image-gzip";
}

function overlayPrefixOf(files: readonly string[], osPrefix: string, overlayPrefix: string): string {
  const isOwn = findFile(files, `${osPrefix}${overlayPrefix}README`) !== undefined;
  return `${isOwn ? osPrefix : ""}${overlayPrefix}`;
}

/**
 * Chooses what the firmware of a board loads by config.txt ("Boot options" of its documentation): the kernel that is
 * named, else the one of the board and of arm_64bit, which is 1 on a Pi 4 and the only possibility on a Pi 5. Where
 * that one is missing, the next that the board could start. Undefined when it finds none. `os_prefix` counts if the
 * kernel is found by it, and for overlays if their README is.
 *
 * @param files paths of all files from the top of the partition; case does not count
 */
export function chooseFirmwareBoot(
  board: PiBoard,
  files: readonly string[],
  configTxt: ConfigTxt,
): BoardBoot | undefined {
  const config = configTxt.forBoard(board);
  const named = config.kernel === undefined ? [] : [config.kernel];
  const names = named.length > 0 ? named : defaultKernels(board, config.arm64);
  const prefixes = [...new Set([config.osPrefix, ""])];
  const findListed = indexFiles(files);
  for (const osPrefix of prefixes) {
    const find = (name: string) => findListed(name.startsWith("/") ? name.slice(1) : osPrefix + name);
    const kernel = names.map(find).find((path) => path !== undefined);
    if (kernel === undefined) continue;
    const wanted = config.initramfs.length > 0 ? config.initramfs.map(find) : [automaticInitrd()];
    const initrds = wanted.filter((path) => path !== undefined);
    return { kernel, initrds, osPrefix, overlayPrefix: overlayPrefixOf(files, osPrefix, config.overlayPrefix) };

    function automaticInitrd(): string | undefined {
      if (!config.autoInitramfs || kernel === undefined) return undefined;
      const own = /^kernel(\w*)\.img$/i.exec(posix.basename(kernel))?.[1];
      const suffixes = own === undefined ? defaultKernels(board, config.arm64).map((name) => name.slice(6, -4)) : [own];
      return suffixes.map((suffix) => find(`initramfs${suffix}`)).find((path) => path !== undefined);
    }
  }
  return undefined;
}

/** Names of kernels in the order in which this board takes them. */
function defaultKernels(board: PiBoard, arm64: boolean | undefined): readonly string[] {
  if (newest.has(board)) return ["kernel_2712.img", "kernel8.img"];
  const narrow = pi4.has(board) ? ["kernel7l.img", "kernel7.img"] : ["kernel7.img"];
  if (arm64 === undefined) return pi4.has(board) ? ["kernel8.img", ...narrow] : [...narrow, "kernel8.img"];
  return arm64 ? ["kernel8.img"] : narrow;
}
