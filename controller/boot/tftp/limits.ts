import { limits } from "../../../proto/limits.ts";
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
 * With the default timing a silent client is given up after 47 seconds, and after 7 if it never acknowledged anything;
 * U-Boot itself repeats for 50, and a request that comes again begins anew.
 */
export const defaultLimits: TftpLimits = {
  maxBlockSize: limits.tftp.blockBytes.most,
  maxWindowSize: limits.tftp.windowBlocks.most,
  maxTransfers: limits.tftp.transfers.most,
  maxTransfersPerClient: limits.tftp.transfersPerAddress.most,
  firstTimeoutMs: 1000,
  maxTimeoutMs: 8000,
  maxSilences: 7,
  maxUnprovenSends: limits.tftp.unprovenSends.most,
  maxStalledMs: limits.tftp.stallMs.most,
  gapDelayMs: 20,
};

/** The defaults with some of them replaced. Throws RangeError for one that cannot work. */
export function resolveLimits(changes: Partial<TftpLimits> = {}): TftpLimits {
  const resolved: TftpLimits = { ...defaultLimits, ...changes };
  const ranges: Record<keyof TftpLimits, readonly [min: number, max: number]> = {
    maxBlockSize: [8, 65464],
    maxWindowSize: [1, 1024],
    maxTransfers: [1, 65535],
    maxTransfersPerClient: [1, 65535],
    firstTimeoutMs: [1, 255_000],
    maxTimeoutMs: [1, 255_000],
    maxSilences: [1, 1000],
    maxUnprovenSends: [1, 1000],
    maxStalledMs: [1, 3_600_000],
    gapDelayMs: [0, 255_000],
  };
  for (const [name, [min, max]] of Object.entries(ranges)) {
    const value = resolved[name as keyof TftpLimits];
    if (!Number.isInteger(value) || value < min || value > max)
      throw new RangeError(`TFTP limit ${name} is ${value}; it must be a whole number from ${min} to ${max}`);
  }
  return resolved;
}
