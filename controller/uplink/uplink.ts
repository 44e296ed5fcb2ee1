import type { Clock } from "../clock.ts";
import { chooseWriters, fetchingWriters, settlingMs } from "./choose-writers.ts";
import { describeAdmission } from "./describe-admission.ts";
import { measuredCapacity, mostThroughput, type Throughput } from "./measured-capacity.ts";
import type { TrafficMeter } from "./traffic-meter.ts";
import type { UplinkLimits } from "./uplink-limits.ts";

/** How it is known what the uplink carries; see pallet.v1.UplinkSource. */
export type CapacitySource = "configured" | "cap" | "link" | "measured" | "assumed";

/** What the uplink is taken to carry. */
export interface Capacity {
  readonly bytesPerSecond: number;
  readonly source: CapacitySource;
}

/** A node that writes, or is about to. */
export interface WritingNode {
  /** Says which turn to write this is. */
  readonly turn: string;
  /** IP address, if it is known. */
  readonly address: string | undefined;
}

/** How many of those who wait may begin to write. */
export interface Admission {
  readonly begin: number;
  /** Why not all, in words that finish "waits: "; absent when all may. */
  readonly why?: string;
}

/** The way from the controller to its nodes, which all that write share. */
export interface Uplink {
  /** To be asked about once a second while somebody waits. */
  admit(writers: readonly WritingNode[], waiting: number): Admission;
  capacity(): Capacity;
  /** What is sent to all nodes, in bytes per second. */
  bytesPerSecond(): number;
  /** How many the operator lets write at once. */
  readonly mostWriters: number | undefined;
}

/** Of a link that tells no speed: 1 Gbit/s. */
export const assumedCapacity = 125_000_000;

/** Builds the uplink. */
export function createUplink(options: {
  readonly limits: UplinkLimits;
  readonly meter: Pick<TrafficMeter, "rateOf" | "totalRate">;
  /** Speed of the interface that nodes reach the controller by, in bytes per second; undefined when it tells none. */
  readonly linkSpeed: () => number | undefined;
  /** One that only moves on. */
  readonly clock: Pick<Clock, "now">;
}): Uplink {
  const { limits, meter, linkSpeed, clock } = options;
  /** Since when each turn lasts. */
  let turns = new Map<string, number>();
  let most: Throughput | undefined;
  let measured: number | undefined;

  function capacity(): Capacity {
    const cap = limits.totalBytesPerSecond ?? Number.POSITIVE_INFINITY;
    const known = knownCapacity();
    return known.bytesPerSecond <= cap ? known : { bytesPerSecond: cap, source: "cap" };
  }

  function knownCapacity(): Capacity {
    if (limits.uplinkBytesPerSecond !== undefined) {
      return { bytesPerSecond: limits.uplinkBytesPerSecond, source: "configured" };
    }
    const link = linkSpeed();
    const told: Capacity =
      link === undefined
        ? { bytesPerSecond: Math.max(assumedCapacity, most?.bytesPerSecond ?? 0), source: "assumed" }
        : { bytesPerSecond: link, source: "link" };
    return measured !== undefined && measured < told.bytesPerSecond
      ? { bytesPerSecond: measured, source: "measured" }
      : told;
  }

  return {
    mostWriters: limits.writers,
    capacity,
    bytesPerSecond: () => meter.totalRate(),

    admit(nodes, waiting) {
      const now = clock.now();
      turns = new Map(nodes.map(({ turn }) => [turn, turns.get(turn) ?? now]));
      const writers = nodes.map(({ turn, address }) => ({
        bytesPerSecond: address === undefined ? 0 : meter.rateOf(address),
        ageMs: now - (turns.get(turn) ?? now),
      }));
      const total = meter.totalRate();
      const settled = writers.filter(({ ageMs }) => ageMs >= settlingMs);
      const throughput = { at: now, bytesPerSecond: total, fetching: fetchingWriters(settled).length };
      most = mostThroughput(most, throughput);
      measured = measuredCapacity(most, throughput);
      const carries = capacity();
      const taken = writers.reduce((sum, { bytesPerSecond }) => sum + bytesPerSecond, 0);
      const { begin, heldBy } = chooseWriters({
        capacity: carries.bytesPerSecond,
        otherBytesPerSecond: Math.max(0, total - taken),
        ...(limits.perNodeBytesPerSecond !== undefined && { perNodeCap: limits.perNodeBytesPerSecond }),
        ...(limits.writers !== undefined && { mostWriters: limits.writers }),
        writers,
        waiting,
      });
      if (heldBy === undefined) return { begin };
      return { begin, why: describeAdmission(heldBy, nodes.length + begin, total, carries, limits) };
    },
  };
}
