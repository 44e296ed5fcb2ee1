import { sortedByName } from "../../proto/names/natural-order.ts";
import { shortDigest } from "../../proto/pack/digest.ts";
import { requireImage } from "../images/catalogue/find-image.ts";
import type { Image } from "../images/catalogue/image.ts";
import { chooseNodes } from "../nodes/choose-nodes.ts";
import { assertAccepted } from "../nodes/judge-acceptance.ts";
import type { Node } from "../nodes/node.ts";
import { invalid, precondition } from "../refusal/refusal.ts";
import type { ImagePort, NodePort } from "./executors/ports.ts";
import type { RolloutRequest } from "./plan/rollout.ts";

/**
 * The nodes that a request means, each once, by name. Throws a Failure or a Refusal when it means none, an unknown one, or
 * one that is not accepted.
 */
export function resolveNodes(request: RolloutRequest, nodes: NodePort): readonly Node[] {
  const meant = chooseNodes(request, nodes, ({ accepted }) => accepted);
  if (meant.length === 0) {
    throw invalid('no node is accepted, so "all" means none; accept nodes first ("controller node accept NODE")');
  }
  assertAccepted(...sortedByName(meant));
  return sortedByName(meant);
}

/** The image that a request means. Throws a Failure or a Refusal when that is none or unclear. */
export async function resolveImage(
  { imageName }: Pick<RolloutRequest, "imageName">,
  images: ImagePort,
): Promise<Image> {
  if (imageName !== undefined) return requireImage(images, imageName);
  const [only, ...others] = await images.list();
  if (only === undefined) throw invalid('there is no image yet; add one with "controller images add FILE"');
  if (others.length === 0) return only;
  const names = sortedByName([only, ...others])
    .map((image) => image.name)
    .join(", ");
  throw invalid(`there are several images; name the one to install with --image: ${names}`);
}

/** The image that a request means, if it is the one that was confirmed. Throws as `resolveImage`, and a Refusal if not. */
export async function resolveConfirmedImage(request: RolloutRequest, images: ImagePort): Promise<Image> {
  const image = await resolveImage(request, images);
  if (request.imageDigest === undefined || request.imageDigest === image.digest) return image;
  throw precondition(
    `image ${image.name} is no longer what was confirmed: it was sha256 ${shortDigest(request.imageDigest)} then, and is ` +
      `sha256 ${shortDigest(image.digest)} now; nothing was started; look at the plan again (controller reimage --dry-run)`,
  );
}

/** Two requests are equal if this is equal. */
export function canonicalRequest(request: RolloutRequest): string {
  const { nodes, all, imageName, disk, noResident, full, noProfiles, noGrow, growToBytes } = request;
  const { imageDigest, seen, onlyChanged, retryOf } = request;
  return JSON.stringify({
    nodes: [...new Set(nodes)].sort(),
    all,
    imageName: imageName ?? "",
    disk: disk ?? "",
    ...(noResident && { noResident }),
    ...(full && { full }),
    ...(noProfiles && { noProfiles }),
    ...(noGrow && { noGrow }),
    ...(growToBytes !== undefined && { growToBytes }),
    ...(imageDigest !== undefined && { imageDigest }),
    ...(seen !== undefined && { seen }),
    ...(onlyChanged && { onlyChanged }),
    ...(retryOf !== undefined && { retryOf }),
  });
}

/** How a rollout was asked for, from its canonical request: what one that tries it again takes over. */
export function optionsOf(canonical: string): Pick<RolloutRequest, (typeof optionNames)[number]> {
  const request = JSON.parse(canonical) as RolloutRequest;
  return Object.fromEntries(
    optionNames
      .filter((name) => request[name] !== undefined && request[name] !== "")
      .map((name) => [name, request[name]]),
  );
}

const optionNames = ["disk", "noResident", "full", "noProfiles", "noGrow", "growToBytes"] as const;
