import type { Need } from "../../proto/linux/debian-package.ts";
import { foreignNeeds } from "../images/derive/plan-requirements.ts";
import { imageNeeds } from "../images/filesystems/image-needs.ts";
import { decompressionNeeds } from "../images/formats/decompression-needs.ts";
import type { ImageFormat } from "../images/formats/detect-format.ts";
import { archiveNeeds } from "../requirements/archive-needs.ts";
import type { Requirements } from "../requirements/requirements.ts";

/** What `rootfs build` needs. What is in the cache already is not made again, and needs no tools. */
export function planRootfsBuild(of: {
  readonly mirror: string;
  readonly isBaseCached: boolean;
  /** Also where no second kernel is asked for. */
  readonly isKernelCached: boolean;
  readonly isAgentCompressed: boolean;
}): Omit<Requirements, "writes"> {
  // A kernel's modules may be compressed by xz: in Debian 13 they are.
  const base: readonly Need[] = of.isBaseCached ? [] : ["mmdebstrap", "depmod", "xz", ...archiveNeeds(of.mirror)];
  const kernel: readonly Need[] = of.isKernelCached ? [] : ["depmod", "xz", ...archiveNeeds(of.mirror)];
  return {
    command: "rootfs build",
    root: "it creates files owned by root",
    needs: ["flock", ...base, ...kernel, ...(of.isAgentCompressed ? [] : (["mksquashfs"] as const))],
  };
}

/** An initrd with modules of a kernel of someone else's, which may be compressed by xz. */
function netbootNeeds(mirror: string): readonly Need[] {
  return ["flock", "depmod", "xz", ...archiveNeeds(mirror)];
}

/** What `rootfs import` needs for an image of this format. */
export function planRootfsImport(of: {
  readonly format: ImageFormat;
  /** Where the initrd's programs come from; undefined where the root filesystem alone is unpacked. */
  readonly netbootMirror: string | undefined;
}): Omit<Requirements, "writes"> {
  return {
    command: "rootfs import",
    root: "it makes files of any owner",
    needs: [
      ...foreignNeeds,
      ...imageNeeds,
      ...decompressionNeeds(of.format),
      ...(of.netbootMirror === undefined ? [] : netbootNeeds(of.netbootMirror)),
    ],
  };
}

/** What `rootfs bake` needs. */
export function planRootfsBake(of: {
  readonly target: "folder" | "image";
  /** As for `rootfs import`. */
  readonly netbootMirror: string | undefined;
}): Omit<Requirements, "writes"> {
  return {
    command: "rootfs bake",
    ...(of.target === "image" && { root: "it makes files of any owner" }),
    needs: [
      ...(of.target === "image" ? [...foreignNeeds, ...imageNeeds] : []),
      ...(of.netbootMirror === undefined ? [] : netbootNeeds(of.netbootMirror)),
    ],
  };
}

/** What `rootfs unpack` needs. */
export const rootfsUnpackRequirements: Omit<Requirements, "writes"> = {
  command: "rootfs unpack",
  root: "it makes files of any owner",
  needs: ["tar", "zstd"],
};
