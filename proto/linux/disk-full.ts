/** Whether an error, or what caused it, is that a disk or a quota is full (errno(3): ENOSPC, EDQUOT). */
export function isDiskFull(error: unknown): boolean {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    if ("code" in cause && (cause.code === "ENOSPC" || cause.code === "EDQUOT")) return true;
  }
  return false;
}
