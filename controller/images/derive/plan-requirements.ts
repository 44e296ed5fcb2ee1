import type { Requirements } from "../../requirements/requirements.ts";
import { imageNeeds } from "../filesystems/image-needs.ts";
import { decompressionNeeds } from "../formats/decompression-needs.ts";
import type { ImageFormat } from "../formats/detect-format.ts";

/** What a place for foreign files needs: see ForeignSpace. */
export const foreignNeeds = ["unshare", "nsenter", "mount", "pivot_root", "setpriv", "fuse2fs", "perl"] as const;

/** What the controller needs to derive images from files of these formats. */
export function planImagesDerive(of: { readonly formats: readonly ImageFormat[] }): Requirements {
  const mounting = [...foreignNeeds, "rsync", "tar"] as const;
  const filesystems = ["dumpe2fs", "e2fsck", "resize2fs", "tune2fs", "mkfs.vfat", "mcopy", "sfdisk"] as const;
  return {
    command: "images derive",
    root: "it makes files of any owner",
    // The old image comes out of a pack, which is read by zstd.
    needs: [...imageNeeds, ...mounting, ...filesystems, "zstd", ...of.formats.flatMap(decompressionNeeds)],
  };
}
