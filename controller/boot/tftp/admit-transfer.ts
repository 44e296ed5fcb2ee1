import type { TftpLimits } from "./limits.ts";

/** A transfer in progress, as admission sees it. */
export interface TransferInProgress {
  /** Whose it is. */
  readonly address: string;
  /** Whether its client has acknowledged anything: until then its address may be forged. */
  readonly proven: boolean;
  /** Since its request, or its last progress, in milliseconds. */
  readonly stalledMs: number;
}

/** Whether one more transfer may begin, and which one gives way to it. */
export type Admission<T extends TransferInProgress> =
  | { readonly admitted: true; readonly givesWay?: T }
  | { readonly admitted: false; readonly message: string };

/**
 * Decides whether a client may begin a transfer. At a limit, that of the address or that of all, another gives way:
 *
 * 1. the oldest that was never acknowledged, at once: a request costs its sender one packet from any address that it
 *    likes, while a client that is there acknowledges within a round trip, and asks again if it was too late;
 * 2. the one without progress for longest, from two retransmission timeouts on: a board that was switched off or reset
 *    in the middle of a transfer never says so;
 * 3. where all of them progress, one of the address that has most of them, if that leaves it no fewer than the newcomer
 *    then has: so a few addresses cannot keep out the rest, however lively they are.
 */
export function admitTransfer<T extends TransferInProgress>(
  inProgress: readonly T[],
  address: string,
  limits: Pick<TftpLimits, "maxTransfers" | "maxTransfersPerClient" | "firstTimeoutMs">,
): Admission<T> {
  const own = inProgress.filter((transfer) => transfer.address === address);
  if (own.length >= limits.maxTransfersPerClient) {
    const givesWay = chooseIdle(own, limits);
    const message = `${address} has ${own.length} transfers in progress; try again later`;
    return givesWay === undefined ? { admitted: false, message } : { admitted: true, givesWay };
  }
  if (inProgress.length < limits.maxTransfers) return { admitted: true };
  const givesWay = chooseIdle(inProgress, limits) ?? chooseOfLargest(inProgress, own.length + 1);
  const message = `busy with ${inProgress.length} transfers; try again later`;
  return givesWay === undefined ? { admitted: false, message } : { admitted: true, givesWay };
}

function chooseIdle<T extends TransferInProgress>(
  among: readonly T[],
  { firstTimeoutMs }: Pick<TftpLimits, "firstTimeoutMs">,
): T | undefined {
  const unproven = longestStalled(among.filter(({ proven }) => !proven));
  if (unproven !== undefined) return unproven;
  const stalled = longestStalled(among);
  return stalled !== undefined && stalled.stalledMs >= 2 * firstTimeoutMs ? stalled : undefined;
}

/** Of the address with most transfers, if it keeps at least `least` of them. */
function chooseOfLargest<T extends TransferInProgress>(inProgress: readonly T[], least: number): T | undefined {
  const shares = [...Map.groupBy(inProgress, ({ address }) => address).values()];
  const largest = shares.reduce<readonly T[]>((one, other) => (other.length > one.length ? other : one), []);
  return largest.length > least ? longestStalled(largest) : undefined;
}

function longestStalled<T extends TransferInProgress>(among: readonly T[]): T | undefined {
  return among.reduce<T | undefined>(
    (one, other) => (one === undefined || other.stalledMs > one.stalledMs ? other : one),
    undefined,
  );
}
