import type { Image } from "../images/catalogue/image.ts";
import type { Node } from "../nodes/node.ts";
import { invalid, notFound } from "../refusal/refusal.ts";
import type { ImagePort, NodePort } from "./executors/ports.ts";
import type { RolloutRequest } from "./plan/rollout.ts";

/** The nodes that a request means, each once, by name. Throws a Failure or a Refusal when it means none or an unknown one. */
export function resolveNodes({ nodes: named, all }: RolloutRequest, nodes: NodePort): readonly Node[] {
  if (all && named.length > 0) throw invalid("name nodes or choose all of them, not both");
  const meant = all ? nodes.list().filter((node) => node.accepted) : named.map((text) => findNode(text, nodes));
  if (meant.length === 0) {
    throw invalid(
      all
        ? 'no node is accepted, so "all" means none; accept nodes first ("controller node accept NODE"), or name them'
        : "no node is named; name nodes, or choose all accepted ones",
    );
  }
  const each = new Map(meant.map((node) => [node.id, node]));
  return [...each.values()].sort((a, b) => a.name.localeCompare(b.name, "en", { numeric: true }));
}

function findNode(text: string, nodes: NodePort): Node {
  const node = nodes.find(text);
  if (node !== undefined) return node;
  throw notFound(`there is no node "${text}"; "controller nodes" lists those that exist`);
}

/** The image that a request means. Throws a Failure or a Refusal when that is none or unclear. */
export async function resolveImage({ imageName }: RolloutRequest, images: ImagePort): Promise<Image> {
  if (imageName !== undefined) {
    const image = await images.get(imageName);
    if (image !== undefined) return image;
    throw notFound(`there is no image "${imageName}"; "controller images" lists those that exist`);
  }
  const [only, ...others] = await images.list();
  if (only === undefined) throw invalid('there is no image yet; add one with "controller images add FILE"');
  if (others.length === 0) return only;
  const names = [only, ...others].map((image) => image.name).join(", ");
  throw invalid(`there are several images; name the one to install with --image: ${names}`);
}

/** Two requests are the same when this is. */
export function canonicalRequest({ nodes, all, imageName, disk, noResident, full }: RolloutRequest): string {
  return JSON.stringify({
    nodes: [...new Set(nodes)].sort(),
    all,
    imageName: imageName ?? "",
    disk: disk ?? "",
    ...(noResident && { noResident }),
    ...(full && { full }),
  });
}
