import { describeSize } from "../../../proto/disk/describe-size.ts";
import type { WriteResult } from "../../../proto/operation/write-result.ts";
import { describeGrowth, forecastGrowth, type GrowingImage } from "../../images/catalogue/plan-growth.ts";
import type { RolloutRequest } from "./rollout.ts";

/** How the image is fitted to a card; see ReimageState. */
export interface CardFit {
  readonly grow: boolean;
  /** Where the root has to end at the latest, in bytes from the start of the card. */
  readonly endBytes?: number;
}

/**
 * How an image is fitted to the cards of a rollout. One that is left untouched keeps its ids, and grows only when a
 * bound is given.
 */
export function cardFitOf({
  noResident,
  noGrow,
  growToBytes,
}: Pick<RolloutRequest, "noResident" | "noGrow" | "growToBytes">): CardFit | undefined {
  if (noResident === true && growToBytes === undefined) return undefined;
  return { grow: noGrow !== true, ...(growToBytes !== undefined && { endBytes: growToBytes }) };
}

/** The step of a plan that grows the root; undefined when nothing is to grow. */
export function growthStep(image: GrowingImage, fit: CardFit | undefined): string | undefined {
  if (fit === undefined || !fit.grow) return undefined;
  const end =
    fit.endBytes === undefined ? "the end of the card" : `${describeSize(fit.endBytes)} of the card, if that is there`;
  return `Root partition ${image.rootPartition} ${describeGrowth(forecastGrowth(image), end)}.`;
}

/**
 * What became of the growth that was asked for, as a clause; undefined when none was. An agent that says nothing is
 * older than growth.
 */
export function describeOutcome(asked: boolean, result: WriteResult | undefined): string | undefined {
  if (!asked) return undefined;
  if (result?.growth === undefined)
    return 'its root did not grow, because its agent is older than that: run "controller rootfs build", then reimage again';
  const { partitionBytes, filesystemGrown, limit } = result.growth;
  if (filesystemGrown)
    return `its root grew to ${describeSize(partitionBytes)}${limit === undefined ? "" : `; ${limit}`}`;
  return `its root partition has ${describeSize(partitionBytes)}, and its filesystem did not grow: ${limit ?? "the agent does not say why"}`;
}
