import type { Image } from "../images/catalogue/image.ts";

/** Path in the boot tree of the kernel that a local boot of the image loads. */
export function kernelPathOf({ digest, boot }: Pick<Image, "digest" | "boot">): string {
  return `images/${digest}/${boot.kernel}`;
}
