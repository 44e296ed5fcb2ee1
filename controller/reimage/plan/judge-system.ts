import { Failure } from "../../../proto/failure.ts";
import { judgeResident, type ResidentProgram } from "../../../proto/system/judge-resident.ts";
import { hostFrom } from "../../../proto/system/system-facts.ts";
import type { Image } from "../../images/catalogue/image.ts";

/**
 * Why the resident agent cannot be installed in the system of an image, before anything is erased; undefined when it
 * can, and when only the agent can tell: the image's root filesystem could not be examined when it was added. The agent
 * makes the same decision again on the card, but for hashes over the root, which are known by the image only.
 *
 * @param resident what the node's agent would install; undefined while unknown
 */
export function judgeSystem(
  { system, partitions, rootPartition }: Pick<Image, "system" | "partitions" | "rootPartition">,
  resident: ResidentProgram | undefined,
): Failure | undefined {
  const root = partitions.find(({ number }) => number === rootPartition);
  if (root?.hashed === true) {
    return new Failure(
      "unsupported",
      `dm-verity would not start the image with the resident agent in it (${root.countsWhole ?? "its root has hashes"}): ` +
        "reimage with --no-resident, which leaves the image untouched",
    );
  }
  return system === undefined ? undefined : judgeResident(resident, hostFrom(system));
}
