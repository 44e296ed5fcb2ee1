import { sectorBytes } from "../pack/image-bounds.ts";
import type { DiskRequest } from "./judge-disk.ts";

/**
 * What a disk must be for an image to be written to it. The controller's plan and the agent's guard both ask `judgeDisk`
 * with this, so that neither demands what the other does not.
 *
 * @param imageBytes size of the image
 */
export function demandOfImage(
  path: string,
  imageBytes: number,
): Pick<DiskRequest, "path" | "minBytes" | "tableSectorBytes"> {
  return { path, minBytes: imageBytes, tableSectorBytes: sectorBytes };
}
