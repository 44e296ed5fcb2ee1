import { allocatePageAligned } from "../linux/page-aligned.ts";

/** A fixed set of equal things to borrow and return; borrowers wait in order if there is none. */
export interface Pool<Thing> {
  /** Rejects with the signal's reason when that aborts while one is waited for, or has aborted. */
  take(signal: AbortSignal): Promise<Thing>;
  give(thing: Thing): void;
}

/** A pool of these things. */
export function createPool<Thing>(things: readonly Thing[]): Pool<Thing> {
  const free = [...things];
  const waiting = new Set<(thing: Thing) => void>();
  return {
    take(signal) {
      return new Promise((resolve, reject) => {
        if (signal.aborted) {
          reject(signal.reason);
          return;
        }
        const thing = free.pop();
        if (thing !== undefined) {
          resolve(thing);
          return;
        }
        const abort = (): void => {
          waiting.delete(receive);
          reject(signal.reason);
        };
        const receive = (given: Thing): void => {
          signal.removeEventListener("abort", abort);
          resolve(given);
        };
        waiting.add(receive);
        signal.addEventListener("abort", abort, { once: true });
      });
    },
    give(thing) {
      const [next] = waiting;
      if (next === undefined) {
        free.push(thing);
        return;
      }
      waiting.delete(next);
      next(thing);
    },
  };
}

/** A pool of page-aligned buffers: memory that is reused instead of being left to the garbage collector. */
export function createBufferPool(count: number, lengthBytes: number): Pool<Buffer<ArrayBuffer>> {
  const memory = allocatePageAligned(count * lengthBytes);
  return createPool(
    Array.from({ length: count }, (_, index) => memory.subarray(index * lengthBytes, (index + 1) * lengthBytes)),
  );
}
