import type { Capacity } from "./capacity.ts";
import type { WritersChoice } from "./choose-writers.ts";
import { formatBitRate } from "./parse-bit-rate.ts";
import type { UplinkLimits } from "./uplink-limits.ts";

/** Why a node has to wait for its turn, for a person. */
export function describeAdmission(
  heldBy: NonNullable<WritersChoice["heldBy"]>,
  writers: number,
  bytesPerSecond: number,
  capacity: Capacity,
  limits: UplinkLimits,
): string {
  const writing = writers === 1 ? "1 node is writing" : `${writers} nodes are writing`;
  switch (heldBy) {
    case "limit":
      return `${writing}, and limits.writers is ${limits.writers}`;
    case "uplink":
      return `${writing}, and the uplink is full (${formatBitRate(bytesPerSecond)} of ${formatBitRate(capacity.bytesPerSecond ?? bytesPerSecond)})`;
    case "settling":
      return `${writing}; more start once their share of the uplink is measured`;
  }
}
