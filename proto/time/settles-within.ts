import type { Clock } from "./clock.ts";

/** Whether the promise settles, even by rejecting, within the given milliseconds. */
export async function settlesWithin(clock: Clock, ms: number, promise: Promise<unknown>): Promise<boolean> {
  const over = new AbortController();
  const late = new Promise<boolean>((resolve) => clock.setTimeout(() => resolve(false), ms, over.signal));
  const settled = (): boolean => true;
  try {
    return await Promise.race([promise.then(settled, settled), late]);
  } finally {
    over.abort();
  }
}
