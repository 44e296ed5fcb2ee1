import type { Image } from "../images/catalogue/image.ts";
import type { Node } from "../nodes/node.ts";
import { precondition } from "../refusal/refusal.ts";
import { waitOrCancel } from "./plan/being-reimaged.ts";
import type { Rollout } from "./plan/rollout.ts";

/**
 * Throws a Refusal while the image is needed: by a running rollout, which installs it or may have to
 * give a node back what it was, or by a node's next boot. What another image of the
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
  for (const { id, reimages } of rollouts) {
    const names = reimages.filter(({ givesBack }) => givesBack === image.digest).map(({ nodeName }) => nodeName);
    if (names.length === 0) continue;
    throw precondition(
      `image ${image.name} is what ${names.join(", ")} boot again if rollout ${id} ends before it writes to their cards; ` +
        waitOrCancel(id),
    );
  }
  const users = nodes.filter(
    ({ bootTarget }) => bootTarget.kind === "local" && bootTarget.imageDigest === image.digest,
  );
  if (users.length === 0) return;
  const are = users.length === 1 ? "1 node boots" : `${users.length} nodes boot`;
  const running = users.filter(({ proved }) => proved?.imageDigest === image.digest);
  throw precondition(
    `image ${image.name} is needed: ${are} its own system with the kernel of this image: ${namesOf(users)}. Without it ` +
      "the next power cut leaves them in the agent, out of service" +
      `${running.length === 0 ? "" : ` (${namesOf(running)} ${running.length === 1 ? "has" : "have"} proved to run it)`}. ` +
      "Give them another image first (controller reimage NODE... --image OTHER, which erases their cards). " +
      "Of those that have left the rack: controller node forget NODE. Of those that shall leave their system: " +
      "controller boot NODE agent, and from its next boot that node waits in the agent",
  );
}

function namesOf(nodes: readonly Node[]): string {
  return nodes.map(({ name }) => name).join(", ");
}
