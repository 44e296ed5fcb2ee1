import type { NodeId } from "../../../proto/names/node-id.ts";
import type { CardIds, Growth } from "../../../proto/operation/operation-spec.ts";
import type { Image } from "../../images/catalogue/image.ts";
import { planGrowth } from "../../images/catalogue/plan-growth.ts";
import type { CardFit } from "./describe-card-growth.ts";
import { planCardIds } from "./plan-card-ids.ts";

/** What fits an image to a card: how its root grows, and which ids its partitions get. Absent: it stays as it is. */
export function planCardChanges(
  image: Image,
  fit: CardFit | undefined,
  card: { readonly nodeId: NodeId; readonly disk: string },
): { readonly growth?: Growth; readonly ids?: CardIds } {
  const growth = fit?.grow ? planGrowth(image, fit.endBytes) : undefined;
  const ids = fit && planCardIds(image, card);
  return { ...(growth && { growth }), ...(ids && { ids }) };
}
