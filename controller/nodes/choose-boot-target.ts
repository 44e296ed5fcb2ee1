import { type ImageLookup, requireImage } from "../images/catalogue/find-image.ts";
import { notFound, precondition } from "../refusal/refusal.ts";
import type { BootTarget, Node } from "./node.ts";

/**
 * The boot target that an operator asks for.
 *
 * @param imageName for local: the image whose kernel to serve; absent for the one that the node last proved to run
 * @throws Refusal when there is no such image, or none is named and none is known to be installed
 */
export async function chooseBootTarget(
  node: Node,
  kind: BootTarget["kind"],
  imageName: string | undefined,
  images: ImageLookup,
): Promise<BootTarget> {
  if (kind === "agent") return { kind: "agent" };
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
