import type { ImageDigest } from "../../proto/pack/digest.ts";
import { type ImageLookup, requireImage } from "../images/catalogue/find-image.ts";
import { notFound, precondition } from "../refusal/refusal.ts";
import type { BootTarget, Node } from "./node.ts";

/** What an operator asks for. */
export interface BootTargetRequest {
  readonly kind: BootTarget["kind"];
  /** For local: the image whose kernel to serve; absent for the one that the node last proved to run. */
  readonly imageName?: string | undefined;
  /** Whether the operator says that there is a system on a card that is known to have none. */
  readonly force?: boolean;
}

/**
 * The boot target that an operator asks for.
 *
 * @throws Refusal when there is no such image, when none is named and none is known to be installed, or when the card is
 *   known to hold no system
 */
export async function chooseBootTarget(
  node: Node,
  { kind, imageName, force = false }: BootTargetRequest,
  images: ImageLookup,
): Promise<BootTarget> {
  if (kind === "agent") return { kind: "agent" };
  if (node.installation?.erased === true && !force) {
    throw precondition(
      `${node.name} has no system of its own to boot: its disk was erased, and no reimage has finished since; ` +
        `reimage it (controller reimage ${node.name}); if you have put a system there yourself, name its image and say ` +
        "--force",
    );
  }
  if (imageName !== undefined) {
    const { digest } = await requireImage(images, imageName);
    return { kind: "local", imageDigest: digest };
  }
  if (node.proved === undefined) {
    throw precondition(
      `${node.name} has not proved any image, so the kernel that its card needs is unknown; name the image`,
    );
  }
  const image = await images.getByDigest(node.proved.imageDigest);
  if (image === undefined) {
    throw notFound(
      `the image ${node.proved.imageName} that ${node.name} last proved to run is no longer in the catalogue; ` +
        "name another, or add it again",
    );
  }
  return { kind: "local", imageDigest: image.digest };
}

/** What an operator should know about a boot target that was set; undefined when there is nothing. */
export function warnOfBootTarget(node: Node, target: BootTarget): string | undefined {
  if (target.kind === "agent" || isKnownToHold(node, target.imageDigest)) return undefined;
  const { name } = node;
  return (
    `nothing says that this image is on the disk of ${name}: if it is not, the node will not come up; ` +
    `controller reimage ${name} installs it, and controller boot ${name} agent takes this back`
  );
}

/**
 * Why a node that restarts again and again, and whose boot target is local only at somebody's word, is kept in the agent
 * from its next boot on; undefined where anything says that the image is on its card: that is looked at, not given up.
 */
export function whyBackToAgent(node: Node): string | undefined {
  const { name, bootTarget } = node;
  if (bootTarget.kind === "agent" || isKnownToHold(node, bootTarget.imageDigest)) return undefined;
  return (
    `the next boot of ${name} goes to the agent: it restarts again and again, and nothing says that the image of its boot ` +
    `target is on its card; reimage it (controller reimage ${name}), or send it back (controller boot ${name} local --image NAME)`
  );
}

/** Whether a proof, a reimage or the system itself says that the image is on the node's card. */
function isKnownToHold({ installation, proved, agent }: Node, imageDigest: ImageDigest): boolean {
  return [proved?.imageDigest, installation?.imageDigest, agent?.installed?.imageDigest].includes(imageDigest);
}
