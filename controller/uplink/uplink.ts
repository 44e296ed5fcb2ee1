import type { Clock } from "../../proto/time/clock.ts";
import type { Capacity } from "./capacity.ts";
import { chooseWriters, fetchingWriters } from "./choose-writers.ts";
import { describeAdmission } from "./describe-admission.ts";
import { type Learnt, learnCapacity } from "./learn-capacity.ts";
import type { TrafficMeter } from "./traffic-meter.ts";
import type { UplinkLimits } from "./uplink-limits.ts";

/** A node that writes, or is about to. */
export interface WritingNode {
  /** Identifies this turn to write. */
  readonly turn: string;
  /** IP address, if it is known. */
  readonly address: string | undefined;
}

/** How many of the waiting nodes may begin to write. */
export interface Admission {
  readonly begin: number;
  /** Why not all may, completing "waits: "; absent if all may. */
  readonly why?: string;
}

/** The network from the controller to its nodes, shared by all that write. */
export interface Uplink {
  /** Call about once a second while nodes are waiting. */
  admit(writers: readonly WritingNode[], waiting: number): Admission;
  capacity(): Capacity;
  /** What is sent to all nodes, in bytes per second. */
  bytesPerSecond(): number;
  /** How many the operator allows to write at once. */
  readonly mostWriters: number | undefined;
}

/** Builds the uplink. */
export function createUplink(options: {
  readonly limits: UplinkLimits;
  readonly meter: Pick<TrafficMeter, "rateOf" | "totalRate">;
  /**
   * Speed of the interface through which nodes reach the controller, in bytes per second; undefined if it reports none.
   */
  readonly linkSpeed: () => number | undefined;
  /** A monotonic one. */
  readonly clock: Pick<Clock, "now">;
}): Uplink {
  const { limits, meter, linkSpeed, clock } = options;
  /** Since when each turn lasts. */
  let turns = new Map<string, number>();
  let learnt: Learnt | undefined;

  function capacity(): Capacity {
    const cap = limits.totalBytesPerSecond;
    const known = knownCapacity();
    return cap === undefined || cap >= bytesOf(known) ? known : { bytesPerSecond: cap, source: "cap" };
  }

  function knownCapacity(): Capacity {
    if (limits.uplinkBytesPerSecond !== undefined) {
      return { bytesPerSecond: limits.uplinkBytesPerSecond, source: "configured" };
    }
    const link = linkSpeed();
    const told: Capacity = link === undefined ? { source: "assumed" } : { bytesPerSecond: link, source: "link" };
    const measured = learnt?.full?.bytesPerSecond;
    return measured !== undefined && measured < bytesOf(told) ? { bytesPerSecond: measured, source: "measured" } : told;
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
      const fetching = fetchingWriters(writers).length;
      learnt = learnCapacity(learnt, { at: now, bytesPerSecond: total, fetching });
      const carries = capacity();
      const taken = writers.reduce((sum, { bytesPerSecond }) => sum + bytesPerSecond, 0);
      const { begin, heldBy } = chooseWriters({
        capacity: bytesOf(carries),
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

function bytesOf({ bytesPerSecond }: Capacity): number {
  return bytesPerSecond ?? Number.POSITIVE_INFINITY;
}
