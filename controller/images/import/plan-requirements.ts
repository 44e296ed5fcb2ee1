import type { Requirements } from "../../requirements/requirements.ts";
import { imageNeeds } from "../filesystems/image-needs.ts";
import { decompressionNeeds } from "../formats/decompression-needs.ts";
import type { ImageFormat } from "../formats/detect-format.ts";

/** What the controller needs to import images of these formats. */
export function planImagesAdd(of: { readonly formats: readonly ImageFormat[] }): Requirements {
  return {
    command: "images add",
    needs: [...imageNeeds, "dumpe2fs", ...of.formats.flatMap(decompressionNeeds)],
  };
}
