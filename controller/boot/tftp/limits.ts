import type { NegotiationLimits } from "./negotiate-options.ts";
import type { RetransmissionTiming } from "./transition.ts";

/** Every bound of a server. */
export interface TftpLimits extends NegotiationLimits, RetransmissionTiming {
  /** Transfers at one time, of all clients. */
  readonly maxTransfers: number;
  /** Transfers at one time, of one address. */
  readonly maxTransfersPerClient: number;
}

/**
 * A block of 1468 bytes fills an Ethernet frame (1500 less 20 IP, 8 UDP and 4 TFTP), so that no packet is fragmented.
 * With the default timing a silent client is given up after 45 seconds; U-Boot itself repeats for 50.
 */
export const defaultLimits: TftpLimits = {
  maxBlockSize: 1468,
  maxWindowSize: 64,
  maxTransfers: 256,
  maxTransfersPerClient: 8,
  firstTimeoutMs: 1000,
  maxTimeoutMs: 8000,
  maxSilences: 7,
  gapDelayMs: 20,
};

/** The defaults with some of them replaced. Throws RangeError for one that cannot work. */
export function resolveLimits(limits: Partial<TftpLimits> = {}): TftpLimits {
  const resolved: TftpLimits = { ...defaultLimits, ...limits };
  const ranges: Record<keyof TftpLimits, readonly [min: number, max: number]> = {
    maxBlockSize: [8, 65464],
    maxWindowSize: [1, 1024],
    maxTransfers: [1, 65535],
    maxTransfersPerClient: [1, 65535],
    firstTimeoutMs: [1, 255_000],
    maxTimeoutMs: [1, 255_000],
    maxSilences: [1, 1000],
    gapDelayMs: [0, 255_000],
  };
  for (const [name, [min, max]] of Object.entries(ranges)) {
    const value = resolved[name as keyof TftpLimits];
    if (!Number.isInteger(value) || value < min || value > max)
      throw new RangeError(`TFTP limit ${name} is ${value}; it must be a whole number from ${min} to ${max}`);
  }
  return resolved;
}
