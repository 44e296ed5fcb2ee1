import { Failure } from "../../proto/failure.ts";
import type { NodeId } from "../../proto/names/node-id.ts";
import { hasMac } from "../../proto/node/has-mac.ts";
import type { NodeFacts } from "../../proto/node/node-facts.ts";

/** Under which address a node registers. */
export interface BootMac {
  readonly mac: string;
  /** Set when the settings of this system name another board's address, and so do not count. */
  readonly otherBoard?: NodeId;
}

/**
 * The MAC address that identifies the node: the one that the controller gave it for this boot; or the one that the
 * system was installed under, if this board has it, because a card can be carried to another board, which must not
 * register as the former one; or what `selectBootMac` says. Rejects with its Failure.
 */
export async function chooseBootMac(
  { bootMac, installedOn }: { readonly bootMac?: NodeId; readonly installedOn?: NodeId },
  interfaces: NodeFacts["interfaces"],
  localAddress: () => Promise<string | undefined>,
): Promise<BootMac> {
  if (bootMac !== undefined) return { mac: bootMac };
  if (installedOn !== undefined && interfaces.some((each) => hasMac(each, installedOn))) return { mac: installedOn };
  const mac = selectBootMac(interfaces, await localAddress());
  return { mac, ...(installedOn !== undefined && { otherBoard: installedOn }) };
}

/**
 * The MAC address that identifies the node when nobody told it: that of the interface with the address by which the
 * controller is reached, otherwise that of the only interface with an address, or of the only one. Throws a Failure
 * "invalid" when that is not clear.
 */
export function selectBootMac(interfaces: NodeFacts["interfaces"], localAddress: string | undefined): string {
  const facing = interfaces.find(({ addresses }) => localAddress !== undefined && addresses.includes(localAddress));
  const chosen = facing ?? onlyOf(interfaces.filter(({ addresses }) => addresses.length > 0)) ?? onlyOf(interfaces);
  if (chosen !== undefined) return chosen.mac;
  throw new Failure(
    "invalid",
    "no MAC address identifies this node: give --node MAC or the kernel command-line word pallet.node=MAC " +
      `(interfaces: ${interfaces.map(({ name, mac }) => `${name} ${mac}`).join(", ") || "none"})`,
  );
}

function onlyOf<T>(all: readonly T[]): T | undefined {
  return all.length === 1 ? all[0] : undefined;
}
