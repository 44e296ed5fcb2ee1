/**
 * A count from the wire. One that a number cannot hold exactly is bogus, and 0: on its way back to the wire it would fit
 * no field any more.
 */
export function countFromWire(value: bigint): number {
  const count = Number(value);
  return Number.isSafeInteger(count) && count >= 0 ? count : 0;
}
