import { Failure } from "../../../proto/failure.ts";
import type { Image } from "../../images/catalogue/image.ts";
import type { ExecutorContext } from "./executor.ts";

/**
 * The image that the rollout named; or another name of it, should that one be gone. Throws a Failure (invalid) when its
 * content is no longer in the catalogue.
 */
export async function imageOf({ state, world: { images } }: ExecutorContext): Promise<Image> {
  const { imageName, imageDigest } = state;
  const named = await images.get(imageName);
  const image = named?.digest === imageDigest ? named : await images.getByDigest(imageDigest);
  if (image !== undefined) return image;
  throw new Failure("invalid", `image ${imageName} is no longer in the catalogue`);
}
