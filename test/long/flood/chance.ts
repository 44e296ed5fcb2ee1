/** What a flood draws from: the same for the same seed. */
export interface Chance {
  /** A whole number from 0 to one less than this. */
  below(limit: number): number;
  oneOf<T>(of: readonly T[]): T;
  /** Bytes of any value, fewer than this. Not to be written to. */
  rubbish(mostBytes: number): Buffer;
  /** MAC address of a board that there is not. */
  mac(): string;
}

/** Rubbish is cut out of so much: to draw each byte would cost the flood more than to send it. */
const poolBytes = 256 * 1024;

export function createChance(seed: number): Chance {
  let state = seed;
  /** Mulberry32. */
  const below = (limit: number): number => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % limit;
  };
  const pool = Buffer.from(Array.from({ length: poolBytes }, () => below(256)));
  return {
    below,
    oneOf: <T>(of: readonly T[]) => of[below(of.length)] as T,
    rubbish(mostBytes) {
      const length = below(mostBytes);
      const start = below(poolBytes - length);
      return pool.subarray(start, start + length);
    },
    mac: () => ["02", ...Array.from({ length: 5 }, () => below(256).toString(16).padStart(2, "0"))].join(":"),
  };
}
