import type { ImageDigest } from "../../../proto/pack/digest.ts";
import { invalid, notFound, type Refusal } from "../../refusal/refusal.ts";
import type { Image } from "./image.ts";

/** The images, for who looks one up; controller/images/image-store.ts implements it. */
export interface ImageLookup {
  get(name: string): Promise<Image | undefined>;
  getByDigest(digest: ImageDigest): Promise<Image | undefined>;
}

/** The image of that name. Throws a Failure when none is named, a Refusal (not-found) when there is no such image. */
export async function requireImage(images: Pick<ImageLookup, "get">, name: string): Promise<Image> {
  if (name === "") throw invalid("no image is named");
  const image = await images.get(name);
  if (image === undefined) throw noSuchImage(name);
  return image;
}

/** Says that no image has that name, and where to look. */
export function noSuchImage(name: string): Refusal {
  return notFound(`there is no image "${name}"; "controller images" lists those that exist`);
}
