import { Refusal } from "./refusal.ts";

/** Whether an error, or what caused it, is that a disk or a quota is full (errno(3): ENOSPC, EDQUOT). */
export function isDiskFull(error: unknown): boolean {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    if ("code" in cause && (cause.code === "ENOSPC" || cause.code === "EDQUOT")) return true;
  }
  return false;
}

/** Says that images need more room. @param use what the folder has to hold, to complete "…, which has to hold" */
export function imagesDiskFull(folder: string, cause: unknown, use?: string): Refusal {
  const why = use === undefined ? "" : `, which has to hold ${use}`;
  const message = `no space left in ${folder}${why}: free some space, or set imageDirectory to another disk`;
  return new Refusal("exhausted", message, { cause });
}
