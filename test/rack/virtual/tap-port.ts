import type { Network } from "../network.ts";
import { type Cable, createSwitchSocket } from "../switch-socket.ts";

/**
 * The socket of the rack's switch that a virtual machine's network card is in: a tap interface, which QEMU opens by
 * name.
 */
export interface TapPort extends Cable {
  /** Name of the tap interface in the rack's network namespace. */
  readonly interface: string;
  /** Makes the interface; it stays while the machine reboots. Nothing when it is there. */
  powerOn(): Promise<void>;
}

/** The socket of board number 1 to 200; nothing is in it yet. */
export function createTapPort({ namespace, interface: bridge }: Network, number: number): TapPort {
  const name = `tap${number}`;
  // Frames are dropped; the card's link stays up, as behind a switch that has lost its uplink.
  const socket = createSwitchSocket(namespace, name, { cut: ["nomaster"], whole: ["master", bridge] });
  return {
    ...socket,
    interface: name,
    powerOn: () =>
      socket.powerOn(async () => {
        await namespace.run("ip", ["-batch", "-"], `tuntap add dev ${name} mode tap\nlink set ${name} up\n`);
      }),
  };
}
