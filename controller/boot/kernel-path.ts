import type { Image } from "../images/catalogue/image.ts";
import { imageForFirmware } from "./apply-way.ts";
import { chooseWay, type Loader } from "./choose-way.ts";

/** Path in the boot tree of the kernel that a local boot of the image by U-Boot loads. */
export function kernelPathOf({ digest, boot }: Pick<Image, "digest" | "boot">): string {
  return `images/${digest}/${boot.kernel}`;
}

/** The same for a board of a model, by whatever loads the kernel there. */
export function kernelPathOn(model: string | undefined, image: Image, loader: Loader = "auto"): string {
  const way = chooseWay({ loader, model, image });
  return kernelPathOf(way.kind === "firmware" && way.own !== undefined ? imageForFirmware(image, way.own) : image);
}
