import type { ImageDigest } from "../../proto/pack/digest.ts";
import type { Image } from "../images/catalogue/image.ts";
import { notFound, precondition } from "../refusal/refusal.ts";
import type { BootTarget, Node } from "./node.ts";

/** The images, as far as a boot target needs them. */
export interface ImageLookup {
  get(name: string): Promise<Image | undefined>;
  getByDigest(digest: ImageDigest): Promise<Image | undefined>;
}

/**
 * The boot target that an operator means.
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
    const image = await images.get(imageName);
    if (image === undefined)
      throw notFound(`there is no image "${imageName}"; "controller images" lists those that exist`);
    return { kind: "local", imageDigest: image.digest };
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
