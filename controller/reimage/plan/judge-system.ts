import { Failure } from "../../../proto/failure.ts";
import { judgeResident, type ResidentProgram } from "../../../proto/system/judge-resident.ts";
import { hostFrom } from "../../../proto/system/system-facts.ts";
import { type Image, rootPartitionOf } from "../../images/catalogue/image.ts";
import { forecastGrowth } from "../../images/catalogue/plan-growth.ts";
import type { CardFit } from "./describe-card-growth.ts";

/**
 * Why the resident agent cannot be installed in the system of an image, before anything is erased; undefined when it
 * can, and when only the agent can tell: the image's root filesystem could not be examined when it was added. The agent
 * makes the same decision again on the card, but for hashes over the root, which are known by the image only.
 *
 * How many bytes are free counts only where the filesystem does not grow. The agent grows it before it installs
 * anything, and then judges what it has become.
 *
 * @param resident what the node's agent would install; undefined while unknown
 * @param fit how the image is fitted to the card
 */
export function judgeSystem(
  image: Image,
  resident: ResidentProgram | undefined,
  fit: CardFit | undefined,
): Failure | undefined {
  const root = rootPartitionOf(image);
  if (root.hashed === true)
    return new Failure(
      "unsupported",
      `dm-verity would not start the image with the resident agent in it (${root.countsWhole ?? "its root has hashes"}): ` +
        "reimage with --no-resident, which leaves the image untouched",
    );
  if (image.system === undefined) return undefined;
  const host = hostFrom(image.system);
  const grows = fit?.grow === true && forecastGrowth(image).kind === "grows";
  return judgeResident(resident, grows ? { ...host, freeBytes: undefined } : host);
}
