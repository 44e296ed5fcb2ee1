import type { AgentRole } from "../../proto/system/agent-program.ts";

const dayMs = 86_400_000;
/** How much of its life a resident agent's certificate has left when it is renewed, in milliseconds. */
const residentLeftMs = 30 * dayMs;
/** Between two looks at the clock, which may have been set since, in milliseconds. */
const longestWaitMs = 3_600_000;
/** Never so short that an odd clock makes a node ask again and again, in milliseconds. */
const shortestWaitMs = 60_000;

/** When to look again, and whether to renew then. */
export interface RenewalPlan {
  readonly waitMs: number;
  readonly renew: boolean;
}

/**
 * When to renew a certificate: a netbooted agent's at half of what was left when it was got, a resident agent's 30 days
 * before it expires, or at half of a shorter life.
 *
 * @param leftMs what was left when it was got or read, in milliseconds
 * @param nowLeftMs what is left now; for a resident agent by a clock that may have been set since
 */
export function planRenewal(role: AgentRole, leftMs: number, nowLeftMs: number): RenewalPlan {
  // By this clock it was over when it came: the clock is wrong, and another certificate would be no better.
  if (leftMs <= 0) return { waitMs: longestWaitMs, renew: true };
  const atLeftMs = role === "resident" ? Math.min(residentLeftMs, leftMs / 2) : leftMs / 2;
  const waitMs = Math.max(nowLeftMs - atLeftMs, shortestWaitMs);
  return waitMs > longestWaitMs ? { waitMs: longestWaitMs, renew: false } : { waitMs, renew: true };
}
