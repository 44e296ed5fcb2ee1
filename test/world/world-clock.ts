import type { Clock } from "../../proto/time/clock.ts";

/** The time of a world of its own: it moves when everything that hangs on the present moment has happened. */
export interface WorldClock extends Clock {
  /** Lets time pass. Timers of one moment fire in the order in which they were armed. */
  run(ms: number): Promise<void>;
  /** Time stands still until this settles: for what really reads a file. */
  standingStill<T>(work: Promise<T>): Promise<T>;
  /** The same time for one process: when `life` aborts, none of its timers fires any more. */
  of(life: AbortSignal): Clock;
}

interface Timer {
  readonly at: number;
  readonly order: number;
  readonly callback: () => void;
  readonly signal: AbortSignal | undefined;
  stopped: boolean;
}

/** @param startAt milliseconds since the epoch */
export function createWorldClock(startAt = Date.UTC(2026, 10, 28)): WorldClock {
  let now = startAt;
  let armed = 0;
  const heap: Timer[] = [];
  const pending = new Set<Promise<unknown>>();

  function arm(callback: () => void, delayMs: number, signal: AbortSignal | undefined): () => void {
    const timer: Timer = { at: now + Math.max(0, delayMs), order: armed++, callback, signal, stopped: false };
    if (signal?.aborted !== true) push(heap, timer);
    return () => {
      timer.stopped = true;
    };
  }

  /** What waits for promises has run when this resolves, and what waits for files has got them. */
  async function settle(): Promise<void> {
    await turn();
    while (pending.size > 0) {
      await Promise.allSettled([...pending]);
      await turn();
    }
  }

  const clock: WorldClock = {
    now: () => now,
    setTimeout: arm,
    async run(ms) {
      const until = now + ms;
      await settle();
      for (let timer = heap[0]; timer !== undefined && timer.at <= until; timer = heap[0]) {
        pop(heap);
        if (timer.stopped || timer.signal?.aborted === true) continue;
        now = timer.at;
        timer.callback();
        await settle();
      }
      now = until;
    },
    standingStill(work) {
      pending.add(work);
      const done = (): boolean => pending.delete(work);
      work.then(done, done);
      return work;
    },
    of: (life) => ({
      now: () => now,
      setTimeout: (callback, delayMs, signal) => arm(() => (life.aborted ? undefined : callback()), delayMs, signal),
    }),
  };
  return clock;
}

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

function isBefore(one: Timer, other: Timer): boolean {
  return one.at < other.at || (one.at === other.at && one.order < other.order);
}

/* A binary heap: the first timer is at its top. */

function push(heap: Timer[], timer: Timer): void {
  let at = heap.push(timer) - 1;
  for (;;) {
    const above = (at - 1) >> 1;
    const parent = heap[above];
    if (at === 0 || parent === undefined || !isBefore(timer, parent)) break;
    heap[at] = parent;
    at = above;
  }
  heap[at] = timer;
}

function pop(heap: Timer[]): void {
  const last = heap.pop();
  if (last === undefined || heap.length === 0) return;
  let at = 0;
  for (;;) {
    const [left, right] = [heap[2 * at + 1], heap[2 * at + 2]];
    if (left === undefined) break;
    const rightIsNext = right !== undefined && isBefore(right, left);
    const child = rightIsNext ? right : left;
    if (!isBefore(child, last)) break;
    heap[at] = child;
    at = rightIsNext ? 2 * at + 2 : 2 * at + 1;
  }
  heap[at] = last;
}
