/** What of a Raspberry Pi model shows to the outside while it boots. */
export interface PiModel {
  /** As the firmware puts it into the device tree and /proc/cpuinfo. */
  readonly model: string;
  /** Revision code in /proc/cpuinfo. */
  readonly revision: string;
  /** First three octets of its MAC address. */
  readonly macPrefix: string;
  /** Whether its boot ROM looks at the card before the network; the others follow a BOOT_ORDER of 0xf12. */
  readonly cardFirst: boolean;
  /**
   * TFTP paths in the order in which boot ROM and firmware ask for them (Raspberry Pi documentation, "Network booting"
   * and "Raspberry Pi 4 bootloader configuration"). A path that is not there is normal: the next one is asked for.
   */
  firmwareRequests(serial: string): readonly string[];
}

/** The models that a rack can hold. U-Boot has no Ethernet on a Pi 5, so that one boots another way. */
export const piModels = {
  "pi-3": {
    model: "Raspberry Pi 3 Model B Rev 1.2",
    revision: "a02082",
    macPrefix: "b8:27:eb",
    cardFirst: true,
    firmwareRequests: (serial) => [
      "bootcode.bin",
      "bootsig.bin",
      `${serial}/start.elf`,
      "config.txt",
      "start.elf",
      "fixup.dat",
      // The name that `upstream_kernel=1` makes of it, which `controller boot-tree build` writes into config.txt.
      "bcm2837-rpi-3-b.dtb",
      "u-boot.bin",
    ],
  },
  "pi-4": {
    model: "Raspberry Pi 4 Model B Rev 1.4",
    revision: "c03114",
    macPrefix: "dc:a6:32",
    cardFirst: false,
    firmwareRequests: (serial) => [
      `${serial}/start4.elf`,
      `${serial}/config.txt`,
      "config.txt",
      "start4.elf",
      "fixup4.dat",
      "bcm2711-rpi-4-b.dtb",
    ],
  },
} as const satisfies Record<string, PiModel>;

/** Name of a model. */
export type PiModelName = keyof typeof piModels;
