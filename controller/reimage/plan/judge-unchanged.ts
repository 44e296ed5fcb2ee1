import type { Image } from "../../images/catalogue/image.ts";
import type { Node } from "../../nodes/node.ts";

/**
 * Why a node needs no reimage: it has proved that it runs this image, configured as its profiles say now, in the way that is
 * asked for, and boots it.
 * Undefined when it needs one. A weak proof is one of an image that was left untouched, and none of one with the
 * resident agent in it, nor the reverse.
 *
 * @param config digest of what its profiles say; undefined when they say nothing
 */
export function judgeUnchanged(
  { proved, bootTarget, installation }: Pick<Node, "proved" | "bootTarget" | "installation">,
  image: Pick<Image, "name" | "digest">,
  noResident: boolean,
  config: string | undefined,
): string | undefined {
  if (proved?.imageDigest !== image.digest || proved.kind !== (noResident ? "weak" : "resident")) return undefined;
  if (bootTarget.kind !== "local" || bootTarget.imageDigest !== image.digest) return undefined;
  if (installation?.config?.digest !== config) return undefined;
  return `it has proved that it runs ${image.name}`;
}
