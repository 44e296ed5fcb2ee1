import assert from "node:assert/strict";

/**
 * What happens "at once" may take this long on a machine that has other things to do. It says something only where the
 * alternative is to wait for much longer: a time-out of a minute, or forever. In milliseconds.
 */
const atOnceMs = 15_000;

/** Fails when the work takes as long as only waiting could. */
export async function happensAtOnce<T>(work: () => Promise<T>): Promise<T> {
  const begun = performance.now();
  const result = await work();
  const tookMs = Math.round(performance.now() - begun);
  assert.ok(tookMs < atOnceMs, `it took ${tookMs} ms`);
  return result;
}
