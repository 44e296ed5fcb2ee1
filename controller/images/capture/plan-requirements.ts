import type { Requirements } from "../../requirements/requirements.ts";
import { foreignNeeds } from "../derive/plan-requirements.ts";
import { imageNeeds } from "../filesystems/image-needs.ts";

/** What the controller needs to make images of nodes' disks: their copies are changed in a ForeignSpace. */
export function planImagesCapture(): Requirements {
  const without = foreignNeeds.filter((need) => need !== "fuse2fs");
  return {
    command: "images capture",
    needs: [...imageNeeds, ...without, "dumpe2fs", "e2fsck", "mren"],
  };
}
