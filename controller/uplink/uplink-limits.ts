import type { RateCaps } from "./pacer.ts";

/** The operator's settings for the uplink; Pallet decides absent ones. Rates in bytes per second. */
export interface UplinkLimits extends RateCaps {
  /** What the uplink carries. */
  readonly uplinkBytesPerSecond?: number;
  /** How many nodes write at once at most. */
  readonly writers?: number;
}
