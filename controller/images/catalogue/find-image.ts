import { cutText } from "../../../proto/cut-text.ts";
import type { ImageDigest } from "../../../proto/pack/digest.ts";
import { invalid, notFound, type Refusal } from "../../refusal/refusal.ts";
import type { Image } from "./image.ts";

/** Image lookup; controller/images/image-store.ts implements it. */
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

/** The refusal for an unknown image name. */
export function noSuchImage(name: string): Refusal {
  return notFound(`there is no image "${cutText(name, 80)}"; "controller images" lists those that exist`);
}
