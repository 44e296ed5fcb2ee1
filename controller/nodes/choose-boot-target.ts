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
export function warnOfBootTarget({ name, installation, proved, agent }: Node, target: BootTarget): string | undefined {
  if (target.kind === "agent") return undefined;
  const { imageDigest } = target;
  const known = [proved?.imageDigest, installation?.imageDigest, agent?.installed?.imageDigest];
  if (known.includes(imageDigest)) return undefined;
  return (
    `nothing says that this image is on the disk of ${name}: if it is not, the node will not come up; ` +
    `controller reimage ${name} installs it, and controller boot ${name} agent takes this back`
  );
}
