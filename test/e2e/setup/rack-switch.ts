import { execa } from "../../../proto/linux/leashed-execa.ts";
import { createNetwork, type Network } from "../../rack/network.ts";
import type { RebootingMachine } from "./rebooting-machine.ts";

/** The switch of a rack, which stays on when the management machine loses its power. */
export interface RackSwitch {
  /** For boards. The machine that the switch's namespace is made for is not the management machine, and has no address. */
  readonly network: Network;
  /** Plugs in the management machine's eth1; to be done after each start of it. */
  plugIn(machine: RebootingMachine): Promise<void>;
  /**
   * Takes the management machine's cable away, which does not notice. To be done before its power is: the kernel that it
   * shares ends its connections, of which the boards would hear nothing from a machine without power.
   */
  unplug(): Promise<void>;
  close(): Promise<void>;
}

/** Makes one, with nothing in its sockets. */
export async function createRackSwitch(): Promise<RackSwitch> {
  const bridge = "sockets";
  const network = await createNetwork({ interface: bridge, isConfigured: false });
  const { namespace } = network;
  await namespace.run("ip", ["link", "set", bridge, "up"]);
  let starts = 0;
  /** The end of the cable. That of a machine without power stays for as long as its kernel takes to clear up. */
  const end = (): string => `machine${starts}`;
  return {
    network,
    async plugIn(machine) {
      starts++;
      const [enter, ...words] = ["nsenter", `--net=${await machine.networkAt("switch")}`, "--", "ip", "link"] as const;
      // The namespace has an interface "switch" of its own.
      await execa(enter, [...words, "set", "switch", "name", end()]);
      await execa(enter, [...words, "set", end(), "netns", String(namespace.pid)]);
      await namespace.run("ip", ["link", "set", end(), "master", bridge, "up"]);
    },
    async unplug() {
      await namespace.run("ip", ["link", "set", end(), "nomaster"]);
    },
    close: network.close,
  };
}
