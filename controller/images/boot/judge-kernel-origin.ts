import { posix } from "node:path";
import type { KernelOrigin } from "../catalogue/image.ts";

/** A device tree that lies where the firmware looks for the kernel's. */
export interface DeviceTree {
  readonly path: string;
  /** Whether it has the node `__overrides__`; undefined when it is no device tree whatever its name. */
  readonly hasOverrides?: boolean;
}

/** Releases of Raspberry Pi's own kernels and of Ubuntu's build of them, in the names of files. */
const raspberryRelease = /\+rpt|-rpi(-|\d|$)|-v(6|7|7l|8)(-16k)?\+|-raspi$/;
/** Names that the firmware gives kernels of its own tree. */
const raspberryKernel = /^kernel(7|7l|8|_2712)?$/i;
/** Device trees that only Raspberry Pi's kernel has: mainline calls these chips bcm2835 to bcm2837. */
const raspberryTree = /^bcm27(08|09|10)-rpi-.*\.dtb$/i;

/**
 * Judges whose kernel an image has. Raspberry Pi's own tree differs from mainline's in what the firmware works with: its
 * device trees have names of their own (`upstream_kernel` in config.txt's documentation), and a node `__overrides__`, by
 * which `dtparam=` sets parameters ("Device Trees, overlays, and parameters", part 2.2). Mainline has neither. Overlays
 * alone say nothing: Fedora puts them beside a mainline kernel. Only where no device tree can be read does it count that
 * both overlays and the kernel are called as in Raspberry Pi's packages.
 *
 * @param files paths of all files on the firmware's partition
 * @param kernel path of the kernel
 * @param isOnFat whether it lies on that partition: the device trees there belong to no other kernel
 */
export function judgeKernelOrigin(
  files: readonly string[],
  kernel: string,
  isOnFat: boolean,
  trees: readonly DeviceTree[],
): KernelOrigin {
  const name = posix.basename(kernel).replace(/\.(img|gz)$/i, "");
  if (raspberryRelease.test(name)) return "raspberry-pi";
  if (!isOnFat) return "upstream";
  if (trees.some(({ path, hasOverrides }) => hasOverrides || raspberryTree.test(posix.basename(path))))
    return "raspberry-pi";
  if (trees.some(({ hasOverrides }) => hasOverrides === false)) return "upstream";
  const hasOverlayMap = files.some((path) => /(^|\/)overlay_map\.dtb$/i.test(path));
  return hasOverlayMap && raspberryKernel.test(name) ? "raspberry-pi" : "unknown";
}
