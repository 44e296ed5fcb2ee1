/** How it is known what the uplink carries; see pallet.v1.UplinkSource. */
export type CapacitySource = "configured" | "cap" | "link" | "measured" | "assumed";

/** What the uplink is taken to carry. */
export interface Capacity {
  /** Absent when the source is "assumed": more, for as long as more nodes bring more bytes. */
  readonly bytesPerSecond?: number;
  readonly source: CapacitySource;
}
