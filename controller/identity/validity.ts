import type { Identity } from "../../proto/identity/identity.ts";
import { earliestTime } from "../../proto/time/earliest-time.ts";
import { neverEnds } from "./render-certificate.ts";

const dayMs = 24 * 60 * 60_000;

/** For how long certificates are good, in milliseconds. */
export const validityMs = {
  /** Of one boot from the network; renewed while the agent runs. */
  netboot: dayMs,
  /** Of an installed system; renewed while it runs. */
  resident: 90 * dayMs,
  operator: 365 * dayMs,
} as const;

/** The longest for which an operator can be added, in days. */
export const mostOperatorDays = 3650;

/**
 * When a certificate made now ends, in milliseconds since the epoch. A controller whose clock has not been set yet
 * counts from the earliest time that can be, so that what it issues is not over before it has begun. Its own has no
 * end: whoever could steal that key finds the authority's beside it, and an end would make nodes and operators with a
 * wrong clock refuse the right controller.
 */
export function endOfValidity(kind: Identity["kind"], nowMs: number, forMs?: number): number {
  if (kind === "controller") return neverEnds;
  const from = Math.max(nowMs, earliestTime);
  // Certificates count whole seconds.
  return Math.min(Math.ceil((from + (forMs ?? validityMs[kind])) / 1000) * 1000, neverEnds);
}
