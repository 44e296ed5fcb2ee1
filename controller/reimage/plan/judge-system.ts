import type { Failure } from "../../../proto/failure.ts";
import { judgeResident, type ResidentProgram } from "../../../proto/system/judge-resident.ts";
import { hostFrom } from "../../../proto/system/system-facts.ts";
import type { Image } from "../../images/catalogue/image.ts";

/**
 * Why the resident agent cannot be installed in the system of an image, before anything is erased; undefined when it
 * can, and when only the agent can tell: the image's root filesystem could not be examined when it was added. The agent
 * makes the same decision again on the card.
 *
 * @param resident what the node's agent would install; undefined while unknown
 */
export function judgeSystem({ system }: Image, resident: ResidentProgram | undefined): Failure | undefined {
  return system === undefined ? undefined : judgeResident(resident, hostFrom(system));
}
