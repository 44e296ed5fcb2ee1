import type { CapacitySource } from "../../proto/uplink-source.ts";
/** What the uplink is taken to carry. */
export interface Capacity {
  /** Absent when the source is "assumed": more, for as long as more nodes bring more bytes. */
  readonly bytesPerSecond?: number;
  readonly source: CapacitySource;
}
