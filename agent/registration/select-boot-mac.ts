import { Failure } from "../../proto/failure.ts";
import type { NodeFacts } from "../../proto/node/node-facts.ts";

/**
 * The MAC address that identifies the node when nobody told it: that of the interface with the address by which the
 * controller is reached, otherwise that of the only interface. Throws a Failure "invalid" when that is not clear.
 */
export function selectBootMac(interfaces: NodeFacts["interfaces"], localAddress: string | undefined): string {
  const facing = interfaces.find(({ addresses }) => localAddress !== undefined && addresses.includes(localAddress));
  const only = interfaces.length === 1 ? interfaces[0] : undefined;
  const chosen = facing ?? only;
  if (chosen !== undefined) return chosen.mac;
  throw new Failure(
    "invalid",
    "no MAC address identifies this node: give --node MAC or the kernel command-line word pallet.node=MAC " +
      `(interfaces: ${interfaces.map(({ name, mac }) => `${name} ${mac}`).join(", ") || "none"})`,
  );
}
