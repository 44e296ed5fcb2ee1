/**
 * Before this no clock is right: no Pallet that knows certificates ran then. 2026-01-01, in milliseconds since the epoch. A
 * board or machine without a battery begins in 1970.
 */
export const earliestTime = Date.UTC(2026, 0, 1);
