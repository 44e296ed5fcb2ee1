import type { Image } from "../images/catalogue/image.ts";
import type { Node } from "../nodes/node.ts";
import { precondition } from "../refusal/refusal.ts";
import { waitOrCancel } from "./plan/being-reimaged.ts";
import type { Rollout } from "./plan/rollout.ts";

/**
 * Throws a Refusal while the image is needed: by a running rollout, or by a node's next boot. What another image of the
 * same content can give is not needed of this one.
 */
export function assertImageUnneeded(
  image: Image,
  images: readonly Image[],
  nodes: readonly Node[],
  rollouts: readonly Rollout[],
): void {
  if (images.some((other) => other.name !== image.name && other.digest === image.digest)) return;
  const rollout = rollouts.find((each) => each.state === "running" && each.imageDigest === image.digest);
  if (rollout !== undefined) {
    throw precondition(`image ${image.name} is being installed by rollout ${rollout.id}; ${waitOrCancel(rollout.id)}`);
  }
  const users = nodes.filter(
    ({ bootTarget }) => bootTarget.kind === "local" && bootTarget.imageDigest === image.digest,
  );
  if (users.length === 0) return;
  const names = users.map((node) => node.name).join(", ");
  throw precondition(
    `image ${image.name} is needed to boot ${names}, which use its kernel; ` +
      "give them another boot target first (controller boot NODE agent)",
  );
}
