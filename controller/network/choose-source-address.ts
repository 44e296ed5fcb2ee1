import { isLoopback, isUnspecified, plainAddress } from "../../proto/names/plain-address.ts";

const ipAddress = /^(\d{1,3}(\.\d{1,3}){3}|[\da-f:]*:[\da-f:.]*)$/i;

/**
 * The address of this machine to call a node's agent from: the agent obeys the one that it booted with, and an
 * interface with several has another one in front. That is `advertise`, where it is this machine's own, or else
 * `listen`. Undefined where the system has to choose: neither is, or the node is on this machine or reached by another
 * family.
 *
 * @param own the addresses of this machine's interfaces
 */
export function chooseSourceAddress(
  { advertise, listen }: { readonly advertise: string; readonly listen: string },
  own: readonly string[],
  node: string,
): string | undefined {
  const target = plainAddress(node);
  if (isNoSource(target)) return undefined;
  return [advertise, listen].find(
    (each) =>
      ipAddress.test(each) &&
      !isNoSource(each) &&
      // Nothing listens at an address that is not this machine's.
      (own.includes(each) || each === listen) &&
      each.includes(":") === target.includes(":"),
  );
}

/** Such an address is none to call another machine from. */
function isNoSource(address: string): boolean {
  return isUnspecified(address) || isLoopback(address);
}
