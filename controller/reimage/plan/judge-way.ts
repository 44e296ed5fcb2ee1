import { Failure } from "../../../proto/failure.ts";
import { chooseWay, type Loader } from "../../boot/choose-way.ts";
import type { Image } from "../../images/catalogue/image.ts";

/** How a board will boot an image from its card. */
export interface WayVerdict {
  /** Nothing loads its kernel on this board, so there is nothing to erase a card for. */
  readonly refusal?: Failure;
  /** Whether the board's firmware boots it, by the image's own config.txt. */
  readonly byOwnFiles: boolean;
}

/**
 * Judges, before anything is erased, whether and how a board could boot an image.
 *
 * @param model undefined for a node whose agent has never registered: then it is not known yet
 */
export function judgeWay(
  image: Pick<Image, "name" | "boot">,
  model: string | undefined,
  loader: Loader = "auto",
): WayVerdict {
  if (model === undefined) return { byOwnFiles: false };
  const way = chooseWay({ loader, model, image });
  if (way.kind === "none") return { refusal: new Failure("unsupported", way.why), byOwnFiles: false };
  return { byOwnFiles: way.kind === "firmware" && way.own !== undefined };
}
