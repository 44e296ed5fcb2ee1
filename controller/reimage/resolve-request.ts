import { sortedByName } from "../../proto/names/natural-order.ts";
import { requireImage } from "../images/catalogue/find-image.ts";
import type { Image } from "../images/catalogue/image.ts";
import { chooseNodes } from "../nodes/choose-nodes.ts";
import type { Node } from "../nodes/node.ts";
import { invalid } from "../refusal/refusal.ts";
import type { ImagePort, NodePort } from "./executors/ports.ts";
import type { RolloutRequest } from "./plan/rollout.ts";

/**
 * The nodes that a request means, each once, by name. Throws a Failure or a Refusal when it means none or an unknown
 * one.
 */
export function resolveNodes(request: RolloutRequest, nodes: NodePort): readonly Node[] {
  const meant = chooseNodes(request, nodes, ({ accepted }) => accepted);
  if (meant.length === 0) {
    throw invalid(
      'no node is accepted, so "all" means none; accept nodes first ("controller node accept NODE"), or name them',
    );
  }
  return sortedByName(meant);
}

/** The image that a request means. Throws a Failure or a Refusal when that is none or unclear. */
export async function resolveImage({ imageName }: RolloutRequest, images: ImagePort): Promise<Image> {
  if (imageName !== undefined) return requireImage(images, imageName);
  const [only, ...others] = await images.list();
  if (only === undefined) throw invalid('there is no image yet; add one with "controller images add FILE"');
  if (others.length === 0) return only;
  const names = [only, ...others].map((image) => image.name).join(", ");
  throw invalid(`there are several images; name the one to install with --image: ${names}`);
}

/** Two requests are equal if this is equal. */
export function canonicalRequest(request: RolloutRequest): string {
  const { nodes, all, imageName, disk, noResident, full, noGrow, growToBytes } = request;
  return JSON.stringify({
    nodes: [...new Set(nodes)].sort(),
    all,
    imageName: imageName ?? "",
    disk: disk ?? "",
    ...(noResident && { noResident }),
    ...(full && { full }),
    ...(noGrow && { noGrow }),
    ...(growToBytes !== undefined && { growToBytes }),
  });
}
