import { posix } from "node:path";
import type { FirmwareBoot, Image } from "../images/catalogue/image.ts";
import type { BootSpec, FirmwareFiles } from "./boot-spec.ts";
import type { OwnFiles } from "./choose-way.ts";

/**
 * The image as the board's firmware boots it: with the kernel and the initrd that the image's config.txt chooses for
 * this board, which may be others than those that U-Boot loads.
 */
export function imageForFirmware<Of extends Pick<Image, "boot">>(image: Of, { partition, boot }: OwnFiles): Of {
  const { initrd: _, ...rest } = image.boot;
  const [initrd] = boot.initrds;
  return {
    ...image,
    boot: {
      ...rest,
      kernel: `${partition.folder}/${boot.kernel}`,
      ...(initrd !== undefined && { initrd: `${partition.folder}/${initrd}` }),
    },
  };
}

/** Adds to the spec of such an image what else the firmware is given of it. */
export function specForFirmware(spec: BootSpec, image: Pick<Image, "digest">, { partition, boot }: OwnFiles): BootSpec {
  const folder = `images/${image.digest}/${partition.folder}`;
  const firmware: FirmwareFiles = {
    folder,
    files: partition.files,
    configTxt: partition.configTxt ?? "config.txt",
    osPrefix: boot.osPrefix,
    overlayPrefix: boot.overlayPrefix,
    moreInitrds: boot.initrds.slice(1).map((file) => `${folder}/${file}`),
    ...bitsOf(boot),
  };
  return { ...spec, firmware };
}

/** By its format; a kernel that nobody recognises by the names that the firmware itself knows, else not at all. */
function bitsOf({ kernel, kernelFormat }: FirmwareBoot): Pick<FirmwareFiles, "bits"> {
  if (kernelFormat !== "unknown") return { bits: kernelFormat === "arm32-zimage" ? 32 : 64 };
  const name = posix.basename(kernel).toLowerCase();
  if (/^kernel(7l?)?\.img$/.test(name)) return { bits: 32 };
  return /^kernel(8|_2712)\.img$/.test(name) ? { bits: 64 } : {};
}
