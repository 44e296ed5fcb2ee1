import type { Need } from "../../../proto/linux/debian-package.ts";
import type { ImageFormat } from "./detect-format.ts";

/** The program that decompresses an image; gzip is Node's own. */
export function decompressionNeeds(format: ImageFormat): readonly Need[] {
  return format === "xz" || format === "zstd" ? [format] : [];
}
