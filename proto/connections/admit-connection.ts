/** A connection that is open, as admission sees it. Times in milliseconds. */
export interface OpenConnection {
  /** Whose it is. */
  readonly address: string;
  /** Since it was last at work; absent while it is, or where that is not known. */
  readonly idleMs?: number;
  readonly ageMs: number;
}

/** How many connections may be open at one time. */
export interface ConnectionLimits {
  readonly all: number;
  readonly perAddress: number;
}

/** Whether one more may be opened, and which one gives way to it. */
export type ConnectionAdmission<T extends OpenConnection> =
  | { readonly admitted: true; readonly givesWay?: T }
  | { readonly admitted: false };

/**
 * Decides whether an address may open one more TCP connection, whose address nobody can forge. An address that has as
 * many as it may gives up the one that has been idle for longest. Where there are as many as there may be of all, an idle
 * one gives way, first of the address that has most; then one that is at work, of that address, if it keeps no fewer than
 * the newcomer then has: so a few addresses cannot keep out the rest.
 */
export function admitConnection<T extends OpenConnection>(
  open: readonly T[],
  address: string,
  limits: ConnectionLimits,
): ConnectionAdmission<T> {
  const own = open.filter((connection) => connection.address === address);
  if (own.length >= limits.perAddress) return inPlaceOf(longestIdle(own));
  if (open.length < limits.all) return { admitted: true };
  const shares = [...Map.groupBy(open, (connection) => connection.address).values()];
  const largest = shares.reduce<readonly T[]>((one, other) => (other.length > one.length ? other : one), []);
  const hasMore = largest.length > own.length + 1;
  return inPlaceOf(
    (hasMore ? longestIdle(largest) : undefined) ?? longestIdle(open) ?? (hasMore ? oldest(largest) : undefined),
  );
}

function inPlaceOf<T extends OpenConnection>(givesWay: T | undefined): ConnectionAdmission<T> {
  return givesWay === undefined ? { admitted: false } : { admitted: true, givesWay };
}

function longestIdle<T extends OpenConnection>(among: readonly T[]): T | undefined {
  return most(
    among.filter(({ idleMs }) => idleMs !== undefined),
    ({ idleMs = 0 }) => idleMs,
  );
}

function oldest<T extends OpenConnection>(among: readonly T[]): T | undefined {
  return most(among, ({ ageMs }) => ageMs);
}

function most<T>(among: readonly T[], of: (one: T) => number): T | undefined {
  return among.reduce<T | undefined>(
    (one, other) => (one === undefined || of(other) > of(one) ? other : one),
    undefined,
  );
}
