import type { Clock } from "../../proto/time/clock.ts";
import { chooseLane, type Lane } from "./choose-lane.ts";
import { spend } from "./token-bucket.ts";

/** Bandwidth limits in bytes per second; at least one of them. */
export interface RateCaps {
  readonly totalBytesPerSecond?: number;
  readonly perNodeBytesPerSecond?: number;
}

/** Decides when bytes may be sent, so that limits hold and nodes share evenly. */
export interface Pacer {
  /** How much to ask for at once at most: a small part of a second's worth, so that nothing comes in bursts. */
  readonly pieceBytes: number;
  /** Resolves when that many bytes may be sent to the node. Rejects with the signal's reason if it aborts. */
  take(node: string, bytes: number, signal: AbortSignal): Promise<void>;
}

interface Request {
  readonly bytes: number;
  readonly grant: () => void;
}

interface WorkingLane extends Lane {
  served: number;
  paidAt: number | undefined;
  readonly waiting: Request[];
}

/** Timers know no less. What they are late by is within the buckets' tolerance. */
const shortestWaitMs = 1;
/** How many pieces others may get, while a node has not asked for its next one, that it later gets back. */
const awayPieces = 8;
const never = new AbortController().signal;
const largestPieceBytes = 256 * 1024;
const smallestPieceBytes = 4 * 1024;

/** Makes a pacer. It has no timer while nobody is waiting. */
export function createPacer({ caps, clock }: { readonly caps: RateCaps; readonly clock: Clock }): Pacer {
  const { totalBytesPerSecond, perNodeBytesPerSecond } = caps;
  const lowest = Math.min(
    totalBytesPerSecond ?? Number.POSITIVE_INFINITY,
    perNodeBytesPerSecond ?? Number.POSITIVE_INFINITY,
  );
  const pieceBytes = Math.min(largestPieceBytes, Math.max(smallestPieceBytes, 4096 * Math.floor(lowest / 50 / 4096)));
  const lanes = new Map<string, WorkingLane>();
  let totalPaidAt = totalBytesPerSecond === undefined ? undefined : clock.now();
  /** What the last served node had received: where new and returning nodes start. */
  let servedNow = 0;
  /** When the timer goes off that is set; Infinity without one. */
  let alarmAt = Number.POSITIVE_INFINITY;

  function serve(): void {
    for (;;) {
      const now = clock.now();
      const choice = chooseLane(waitingLanes(), totalPaidAt, now);
      if (choice === undefined) {
        forgetIdle(now);
        return;
      }
      if ("waitMs" in choice) {
        wakeAt(now + choice.waitMs, now);
        return;
      }
      grant(choice.lane, now);
    }
  }

  function wakeAt(at: number, now: number): void {
    // Usually others are already waiting and the timer is set.
    if (at >= alarmAt) return;
    alarmAt = at;
    clock.setTimeout(
      () => {
        if (alarmAt !== at) return;
        alarmAt = Number.POSITIVE_INFINITY;
        serve();
      },
      Math.max(shortestWaitMs, Math.ceil(at - now)),
      never,
    );
  }

  function* waitingLanes(): Iterable<WorkingLane> {
    for (const lane of lanes.values()) if (lane.waiting.length > 0) yield lane;
  }

  function grant(lane: WorkingLane, now: number): void {
    const request = lane.waiting.shift();
    if (request === undefined) return;
    const { bytes } = request;
    servedNow = lane.served;
    lane.served += bytes;
    if (perNodeBytesPerSecond !== undefined) lane.paidAt = spend(lane.paidAt ?? now, bytes, perNodeBytesPerSecond, now);
    if (totalBytesPerSecond !== undefined) totalPaidAt = spend(totalPaidAt ?? now, bytes, totalBytesPerSecond, now);
    request.grant();
  }

  /** When nobody is waiting, nodes that owe nothing need not be remembered. */
  function forgetIdle(now: number): void {
    for (const [node, lane] of lanes) if (lane.paidAt === undefined || lane.paidAt <= now) lanes.delete(node);
  }

  function laneOf(node: string): WorkingLane {
    const known = lanes.get(node);
    if (known !== undefined) {
      // Between two pieces a connection is away for a moment, which must not cost it its turn.
      if (known.waiting.length === 0) known.served = Math.max(known.served, servedNow - awayPieces * pieceBytes);
      return known;
    }
    const paidAt = perNodeBytesPerSecond === undefined ? undefined : clock.now();
    const lane: WorkingLane = { served: servedNow, paidAt, waiting: [] };
    lanes.set(node, lane);
    return lane;
  }

  return {
    pieceBytes,

    take(node, bytes, signal) {
      return new Promise((resolve, reject) => {
        if (signal.aborted) return reject(signal.reason);
        const { waiting } = laneOf(node);
        const giveUp = (): void => {
          waiting.splice(waiting.indexOf(request), 1);
          reject(signal.reason);
        };
        const request: Request = {
          bytes,
          grant() {
            signal.removeEventListener("abort", giveUp);
            resolve();
          },
        };
        waiting.push(request);
        signal.addEventListener("abort", giveUp, { once: true });
        serve();
      });
    },
  };
}
