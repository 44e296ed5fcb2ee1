import type { CapacitySource } from "../../proto/words/uplink-source.ts";
/** The uplink's assumed capacity. */
export interface Capacity {
  /** Absent if the source is "assumed": higher, for as long as more nodes add throughput. */
  readonly bytesPerSecond?: number;
  readonly source: CapacitySource;
}
