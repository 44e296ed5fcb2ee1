import type { TftpLimits } from "./limits.ts";

/** A transfer in progress, as admission sees it. */
export interface TransferInProgress {
  /** Whose it is. */
  readonly address: string;
  /** Since its client was last heard, in milliseconds. */
  readonly silentMs: number;
}

/** Whether one more transfer may begin, and which abandoned one gives way to it. */
export type Admission<T extends TransferInProgress> =
  | { readonly admitted: true; readonly givesWay?: T }
  | { readonly admitted: false; readonly message: string };

/**
 * Decides whether a client may begin a transfer. A board that was switched off, or reset, in the middle of a transfer
 * never says so, and its server goes on trying for the better part of a minute: at a limit, the transfer that has been
 * silent for longest gives way, if it has been silent for two retransmission timeouts. So boards that restart quickly
 * do not lock themselves out, nor do forged addresses lock out everybody.
 */
export function admitTransfer<T extends TransferInProgress>(
  inProgress: readonly T[],
  address: string,
  limits: Pick<TftpLimits, "maxTransfers" | "maxTransfersPerClient" | "firstTimeoutMs">,
): Admission<T> {
  const own = inProgress.filter((transfer) => transfer.address === address);
  const scarce =
    own.length >= limits.maxTransfersPerClient
      ? { among: own, message: `${address} has ${own.length} transfers in progress; try again later` }
      : inProgress.length >= limits.maxTransfers
        ? { among: inProgress, message: `busy with ${inProgress.length} transfers; try again later` }
        : undefined;
  if (scarce === undefined) return { admitted: true };
  const givesWay = scarce.among.reduce((one, other) => (other.silentMs > one.silentMs ? other : one));
  if (givesWay.silentMs < 2 * limits.firstTimeoutMs) return { admitted: false, message: scarce.message };
  return { admitted: true, givesWay };
}
