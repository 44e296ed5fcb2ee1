/** How long a netbooted node is refused before it reboots for a fresh token, in milliseconds; up to twice that. */
const patienceMs = 300_000;
/** Refusals further apart than this are not one time of being refused, in milliseconds. */
const gapMs = 120_000;

/** A time in which the controller refused this node, or somebody else answered in its place. Milliseconds. */
export interface Refusals {
  readonly sinceMs: number;
  readonly lastMs: number;
}

/** What is known after another answer of the controller; undefined when it has not refused. */
export function judgeAnswer(
  before: Refusals | undefined,
  answer: "accepted" | "refused",
  nowMs: number,
): Refusals | undefined {
  if (answer === "accepted") return undefined;
  const goesOn = before !== undefined && nowMs - before.lastMs <= gapMs;
  return { sinceMs: goesOn ? before.sinceMs : nowMs, lastMs: nowMs };
}

/**
 * Whether a netbooted node should reboot, because only a boot brings a fresh token. A controller that is away refuses
 * nothing: then there is nobody to boot from. Spread over as long again, so that a rack does not reboot at once.
 *
 * @param spread this node's own number from 0 to 1
 */
export function judgeReboot(refusals: Refusals | undefined, nowMs: number, spread: number): boolean {
  if (refusals === undefined || nowMs - refusals.lastMs > gapMs) return false;
  return refusals.lastMs - refusals.sinceMs >= patienceMs * (1 + spread);
}
