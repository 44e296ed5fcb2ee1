import type { RateCaps } from "./pacer.ts";

/** What the operator sets about the way to the nodes; what is absent is up to Pallet. Rates in bytes per second. */
export interface UplinkLimits extends RateCaps {
  /** What the uplink carries. */
  readonly uplinkBytesPerSecond?: number;
  /** How many nodes write at once at most. */
  readonly writers?: number;
}
