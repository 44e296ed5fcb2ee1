import { findFirmwareBoot } from "../images/catalogue/find-firmware-file.ts";
import type { FirmwareBoot, Image, ImageFirmware, KernelFormat } from "../images/catalogue/image.ts";
import { is64Bit, needsOwnFiles } from "../images/catalogue/kernel-needs.ts";
import { type PiBoard, piBoardOf } from "../images/catalogue/pi-board.ts";

/**
 * Who loads the kernel, as the operator wants it (bootProfile.loader): U-Boot or the board's firmware, whichever
 * `chooseWay` finds best for board and image; one of them on every board, for everything.
 */
export const loaders = ["auto", "u-boot", "firmware"] as const;
export type Loader = (typeof loaders)[number];

/** What the board's firmware takes from the image's own firmware partition. */
export interface OwnFiles {
  readonly partition: ImageFirmware;
  readonly boot: FirmwareBoot;
}

/** Who loads the kernel of one boot. */
export type Way =
  | { readonly kind: "u-boot" }
  /** Without `own`, config.txt is the boot tree's, and so are the device trees that the image lacks. */
  | { readonly kind: "firmware"; readonly own?: OwnFiles }
  /** Nobody can: why, and the remedy. */
  | { readonly kind: "none"; readonly why: string };

/** What the decision rests on. */
export interface WayFacts {
  readonly loader: Loader;
  /** Set when `loader` is "u-boot" only because U-Boot runs already, and asks. */
  readonly uBootAsks?: boolean;
  /** Model as the board's device tree names it; undefined for a node whose agent has never registered. */
  readonly model: string | undefined;
  /** The image that boots from the card; undefined for the agent. */
  readonly image: Pick<Image, "name" | "boot"> | undefined;
}

/**
 * Who loads the kernel. The agent is loaded by U-Boot, except on a Pi 5, where U-Boot has no Ethernet. An installed
 * system is loaded by the board's firmware where the image brings all that this takes and U-Boot would withhold
 * something from it: Raspberry Pi's own kernel needs its image's device trees and overlays (raspberrypi/linux#7130),
 * and a 32-bit kernel cannot be started by a 64-bit U-Boot. README.md argues the table board × image.
 *
 * This is for a board whose firmware asks us. U-Boot that asks for its config gets one for U-Boot (loader "u-boot").
 */
export function chooseWay({ loader, uBootAsks = false, model = "", image }: WayFacts): Way {
  const board = piBoardOf(model);
  const needsFirmware = board !== undefined && withoutUBoot.has(board);
  if (image === undefined) {
    const byFirmware = loader === "firmware" || (loader === "auto" && needsFirmware);
    return { kind: byFirmware ? "firmware" : "u-boot" };
  }
  const own = board === undefined ? undefined : findOwnFiles(image, model, board);
  if (loader === "u-boot" && !uBootAsks) return byUBoot(image, "bootProfile.loader is u-boot; set it to auto");
  if (loader === "u-boot")
    return byUBoot(image, own === undefined ? noOwnFiles(model) : "the board's firmware can; restart the node");
  if (loader === "firmware" || needsFirmware)
    return own === undefined ? byPlainFirmware(image, model) : { kind: "firmware", own };
  return own !== undefined && needsOwnFiles(image.boot) ? { kind: "firmware", own } : byUBoot(image, noOwnFiles(model));
}

/**
 * Whether the firmware that asks is one that loads the agent: it heeds the section of config.txt that is rendered with
 * this loader. With `auto` that section is under the filter [pi5], so the model need not be known.
 */
export function isForPi5(loader: Loader, model = ""): boolean {
  if (loader !== "firmware") return loader === "auto";
  const board = piBoardOf(model);
  return board !== undefined && withoutUBoot.has(board);
}

/** Boards on which U-Boot has no Ethernet driver. */
const withoutUBoot: ReadonlySet<PiBoard> = new Set(["pi5", "pi500", "cm5"]);

function byUBoot({ name, boot }: Pick<Image, "name" | "boot">, why: string): Way {
  if (is64Bit(boot.kernelFormat)) return { kind: "u-boot" };
  return {
    kind: "none",
    why: `U-Boot cannot start the kernel of image ${name} (${formatNames[boot.kernelFormat ?? "unknown"]}): ${why}`,
  };
}

function byPlainFirmware({ name, boot }: Pick<Image, "name" | "boot">, model: string): Way {
  if (is64Bit(boot.kernelFormat)) return { kind: "firmware" };
  const what = formatNames[boot.kernelFormat ?? "unknown"];
  return {
    kind: "none",
    why: `the kernel of image ${name} (${what}) needs config.txt, kernel and device tree of its image for ${boardName(model)}, and the image has none that this board can start`,
  };
}

function noOwnFiles(model: string): string {
  return `its firmware could, but the image has no config.txt, kernel and device tree for ${boardName(model)}`;
}

function boardName(model: string): string {
  return model === "" ? "a board of an unknown model" : `a ${model}`;
}

const formatNames: Readonly<Record<KernelFormat, string>> = {
  "arm64-image": "64-bit",
  "arm64-image-gzip": "64-bit, gzipped",
  "arm32-zimage": "32-bit",
  "efi-zboot": "an EFI zboot image",
  unknown: "of an unknown format",
};

/** Device trees by the chip that they are for, downstream and upstream names; the firmware loads no system without. */
const deviceTreeOf: Readonly<Record<PiBoard, RegExp>> = {
  pi2: /^bcm(2709|2710|2836|2837)-rpi-2/,
  pi3: /^bcm(2710|2837)-rpi-3/,
  "pi3+": /^bcm(2710|2837)-rpi-3/,
  cm3: /^bcm(2710|2837)-rpi-cm3/,
  "cm3+": /^bcm(2710|2837)-rpi-cm3/,
  pi02: /^bcm(2710|2837)-rpi-zero-2/,
  pi4: /^bcm2711-rpi-4-b/,
  pi400: /^bcm2711-rpi-4/,
  cm4: /^bcm2711-rpi-cm4/,
  cm4s: /^bcm2711-rpi-cm4s/,
  pi5: /^bcm2712(d0)?-rpi-5-b/,
  pi500: /^bcm2712(d0)?-rpi-5/,
  cm5: /^bcm2712(d0)?-rpi-cm5/,
};

function findOwnFiles(image: Pick<Image, "boot">, model: string, board: PiBoard): OwnFiles | undefined {
  const partition = image.boot.firmware;
  const boot = partition && findFirmwareBoot(partition, model);
  if (partition?.configTxt === undefined || boot === undefined || !startsByFirmware(boot, board)) return undefined;
  const prefix = boot.osPrefix.toLowerCase();
  const names = partition.files.map((file) => file.toLowerCase());
  const hasTree = names.some((file) =>
    [prefix, ""].some(
      (at) => file.startsWith(at) && file.endsWith(".dtb") && deviceTreeOf[board].test(file.slice(at.length)),
    ),
  );
  return hasTree ? { partition, boot } : undefined;
}

function startsByFirmware({ kernelFormat }: FirmwareBoot, board: PiBoard): boolean {
  if (kernelFormat === "efi-zboot") return false;
  return !withoutUBoot.has(board) || is64Bit(kernelFormat);
}
