import { plainAddress } from "../../proto/plain-address.ts";

/** Stands for every address, or means this machine to itself alone: no address to call another machine from. */
const noSource = /^(0\.0\.0\.0|::|127\..*|::1)$/;
const ipAddress = /^(\d{1,3}(\.\d{1,3}){3}|[\da-f:]*:[\da-f:.]*)$/i;

/**
 * The address of this machine to call a node's agent from: the agent obeys the one that it booted with, and an interface
 * with several has another one in front. That is `advertise`, where it is this machine's own, or else `listen`. Undefined
 * where the system has to choose: neither is, or the node is on this machine or reached by another family.
 *
 * @param own the addresses of this machine's interfaces
 */
export function chooseSourceAddress(
  { advertise, listen }: { readonly advertise: string; readonly listen: string },
  own: readonly string[],
  node: string,
): string | undefined {
  const target = plainAddress(node);
  if (noSource.test(target)) return undefined;
  return [advertise, listen].find(
    (each) =>
      ipAddress.test(each) &&
      !noSource.test(each) &&
      // Nothing listens at an address that is not this machine's.
      (own.includes(each) || each === listen) &&
      each.includes(":") === target.includes(":"),
  );
}
