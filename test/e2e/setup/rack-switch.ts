import { execa } from "../../../proto/linux/leashed-execa.ts";
import { createNetwork, type Network } from "../../rack/network.ts";
import type { RebootingMachine } from "./rebooting-machine.ts";

/** The switch of a rack, which stays on when the management machine loses its power. */
export interface RackSwitch {
  /** For boards. The machine that the switch's namespace is made for is not the management machine, and has no address. */
  readonly network: Network;
  /** Plugs in the management machine's eth1; to be done after each start of it. */
  plugIn(machine: RebootingMachine): Promise<void>;
  close(): Promise<void>;
}

/** Makes one, with nothing in its sockets. */
export async function createRackSwitch(): Promise<RackSwitch> {
  const bridge = "sockets";
  const network = await createNetwork({ interface: bridge, isConfigured: false });
  const { namespace } = network;
  await namespace.run("ip", ["link", "set", bridge, "up"]);
  return {
    network,
    async plugIn(machine) {
      const end = ["nsenter", `--net=${await machine.networkAt("switch")}`, "--", "ip", "link", "set"] as const;
      const [enter, ...words] = end;
      // The namespace has an interface "switch" of its own.
      await execa(enter, [...words, "switch", "name", "machine"]);
      await execa(enter, [...words, "machine", "netns", String(namespace.pid)]);
      await namespace.run("ip", ["link", "set", "machine", "master", bridge, "up"]);
    },
    close: network.close,
  };
}
