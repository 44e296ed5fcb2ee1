import { Refusal } from "./refusal.ts";

/** Says that images need more room. @param use what the folder has to hold, to complete "…, which has to hold" */
export function imagesDiskFull(folder: string, cause: unknown, use?: string): Refusal {
  const why = use === undefined ? "" : `, which has to hold ${use}`;
  const message = `no space left in ${folder}${why}: free some space, or set imageDirectory to another disk`;
  return new Refusal("exhausted", message, { cause });
}
