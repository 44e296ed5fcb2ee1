import { Refusal } from "./refusal.ts";

/** Says that images need more room. @param use what the folder has to hold, to complete "…, which has to hold" */
export function imagesDiskFull(folder: string, cause: unknown, use?: string): Refusal {
  const why = use === undefined ? "" : `, which has to hold ${use}`;
  const message = `no space left in ${folder}${why}: free some space, or set imageDirectory to another disk`;
  return new Refusal("exhausted", message, { cause });
}

/** The same for the folder in which the broker lays out derived images, which no setting of the controller moves. */
export function brokerDiskFull(folder: string, cause: unknown): Refusal {
  const message =
    `no space left in ${folder}, where the broker lays out derived images, and which has to hold both images uncompressed: ` +
    "free some space on that disk, or mount a larger one there and restart pallet-broker";
  return new Refusal("exhausted", message, { cause });
}
