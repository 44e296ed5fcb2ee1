import { Failure } from "../../../proto/failure.ts";
import type { KernelFormat } from "../catalogue/image.ts";
import { kernelNames } from "./choose-boot-files.ts";

/** A kernel of the image that nothing here can start. */
export interface RejectedKernel {
  readonly path: string;
  readonly format: KernelFormat | "empty";
  /** Whether it lies on the firmware's FAT partition or in a Linux filesystem, which no firmware reads. */
  readonly place: "firmware" | "linux";
}

/** Why no kernel of an image can be started, and what to do. */
export function explainNoKernel(rejected: readonly RejectedKernel[]): Failure {
  if (rejected.length === 0) {
    return new Failure(
      "unsupported",
      `found no Linux kernel in the image: there is no ${kernelNames} in a FAT partition, or in /boot or at the top of an ` +
        "ext2, ext3 or ext4 filesystem. Other filesystems (btrfs, XFS, squashfs) are not looked into: put the kernel and " +
        "its initrd on the FAT partition, or on an ext4 /boot",
    );
  }
  const isDamaged = rejected.every(({ format }) => format === "empty");
  return new Failure(
    isDamaged ? "image-damaged" : "unsupported",
    `the image has no kernel that a node can start:\n${rejected.map((kernel) => `  ${describe(kernel)}`).join("\n")}`,
    {
      expected: "a 64-bit ARM kernel (Image), plain or gzipped; or a 32-bit one on the firmware's FAT partition",
      found: rejected.map(({ format }) => format).join(", "),
    },
  );
}

function describe({ path, format, place }: RejectedKernel): string {
  switch (format) {
    case "empty":
      return `${path} is empty`;
    case "efi-zboot":
      return (
        `${path} is an EFI zboot image, which only UEFI unpacks: put the Image that is packed in it ` +
        "(arch/arm64/boot/Image of its build, CONFIG_EFI_ZBOOT off) beside it under the name Image"
      );
    case "arm32-zimage":
      return place === "firmware"
        ? `${path} is a 32-bit kernel, and config.txt names it for no board that can start it`
        : `${path} is a 32-bit kernel outside the firmware's FAT partition, where only U-Boot could load it, and that of ` +
            "the nodes is a 64-bit one: use the 64-bit variant of this system";
    default:
      return (
        `${path} is neither a plain nor a gzipped 64-bit ARM kernel (Image), nor a 32-bit one (zImage): ` +
        "use a build of the system for Raspberry Pis, whose kernel has one of these forms"
      );
  }
}
