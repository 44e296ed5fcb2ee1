import type { Failure } from "../../../proto/failure.ts";
import { isExt } from "../../../proto/linux/ext-filesystem.ts";
import { judgeResident, type ResidentProgram } from "../../../proto/system/judge-resident.ts";
import { hostFrom } from "../../../proto/system/system-facts.ts";
import { type Image, rootPartitionOf } from "../../images/catalogue/image.ts";

/**
 * Why the resident agent cannot be installed in the system of an image, before anything is erased; undefined when it
 * can, and when only the agent can tell: the image's root filesystem could not be examined when it was added. The agent
 * makes the same decision again on the card.
 *
 * How many bytes are free counts only where the root cannot grow. The agent grows it before it installs anything, and
 * then judges what it has become.
 *
 * @param resident what the node's agent would install; undefined while unknown
 */
export function judgeSystem(image: Image, resident: ResidentProgram | undefined): Failure | undefined {
  if (image.system === undefined) return undefined;
  const host = hostFrom(image.system);
  return judgeResident(resident, mayGrow(image) ? { ...host, freeBytes: undefined } : host);
}

/** Whether the root is the last partition, and of a filesystem that the agent grows. */
function mayGrow(image: Image): boolean {
  const root = rootPartitionOf(image);
  return isExt(root.filesystemType) && image.partitions.every(({ offsetBytes }) => offsetBytes <= root.offsetBytes);
}
