import { remember } from "./remember.ts";

/** So many at once, then so many a second: a token bucket. */
export interface Rate {
  readonly burst: number;
  readonly perSecond: number;
}

/** Holds back what comes too often from one address, or in all. */
export interface RateLimit {
  /** Whether there may be one more; counts it if so. Times in milliseconds. */
  admits(address: string | undefined, at: number): boolean;
}

interface Bucket {
  readonly tokens: number;
  readonly at: number;
}

/** More addresses than a rack has. An address that is dropped begins anew; the limit for all holds those as well. */
const mostAddresses = 4096;

/** @param inAll none unless given */
export function createRateLimit(limits: { readonly perAddress: Rate; readonly inAll?: Rate }): RateLimit {
  const { perAddress, inAll } = limits;
  const buckets = new Map<string, Bucket>();
  let all: Bucket | undefined;
  return {
    admits(address = "", at) {
      const own = filled(buckets.get(address), perAddress, at);
      const shared = inAll && filled(all, inAll, at);
      const isAdmitted = own.tokens >= 1 && (shared === undefined || shared.tokens >= 1);
      const taken = isAdmitted ? 1 : 0;
      // Noted in either case: time that was counted once does not count again after the clock was set back.
      remember(buckets, address, { tokens: own.tokens - taken, at }, mostAddresses);
      all = shared && { tokens: shared.tokens - taken, at };
      return isAdmitted;
    },
  };
}

function filled(bucket: Bucket | undefined, { burst, perSecond }: Rate, at: number): Bucket {
  if (bucket === undefined) return { tokens: burst, at };
  // A clock that was set back gives nothing, and takes nothing away.
  const grown = (Math.max(0, at - bucket.at) / 1000) * perSecond;
  return { tokens: Math.min(burst, bucket.tokens + grown), at };
}
