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
  /** Filters of config.txt that hold for it (config_txt, "Conditional filters"). */
  readonly filters: readonly string[];
  /** What it loads from the boot tree's top before config.txt; the others have it in their EEPROM. */
  readonly bootRom: readonly string[];
  /** Its firmware and what belongs to it, also for `start_x=1`; none where the EEPROM holds it. */
  readonly firmware?: { readonly plain: readonly [string, string]; readonly withCamera: readonly [string, string] };
  /** Names of its device tree, by `upstream_kernel`. */
  readonly deviceTree: { readonly downstream: string; readonly upstream: string };
  /** Whether kernels run in 64-bit mode unless config.txt says otherwise; "only" where there is no other mode. */
  readonly is64Bit: boolean | "only";
  /** What its firmware calls the serial port on the pins, with Bluetooth on the other one and without. */
  readonly serial0: { readonly withBluetooth: string; readonly without: string };
  /** Whether firmware that has no kernel stops for good, as start.elf does, or asks the network anew. */
  readonly stopsWithoutKernel: boolean;
}

/** The models that a rack can hold. U-Boot has no Ethernet on a Pi 5, so that its firmware boots the agent too. */
export const piModels = {
  "pi-3": {
    model: "Raspberry Pi 3 Model B Rev 1.2",
    revision: "a02082",
    macPrefix: "b8:27:eb",
    cardFirst: true,
    filters: ["pi3"],
    bootRom: ["bootcode.bin", "bootsig.bin"],
    firmware: { plain: ["start.elf", "fixup.dat"], withCamera: ["start_x.elf", "fixup_x.dat"] },
    deviceTree: { downstream: "bcm2710-rpi-3-b.dtb", upstream: "bcm2837-rpi-3-b.dtb" },
    is64Bit: false,
    serial0: { withBluetooth: "ttyS0", without: "ttyAMA0" },
    stopsWithoutKernel: true,
  },
  "pi-4": {
    model: "Raspberry Pi 4 Model B Rev 1.4",
    revision: "c03114",
    macPrefix: "dc:a6:32",
    cardFirst: false,
    filters: ["pi4"],
    bootRom: [],
    firmware: { plain: ["start4.elf", "fixup4.dat"], withCamera: ["start4x.elf", "fixup4x.dat"] },
    deviceTree: { downstream: "bcm2711-rpi-4-b.dtb", upstream: "bcm2711-rpi-4-b.dtb" },
    is64Bit: true,
    serial0: { withBluetooth: "ttyS0", without: "ttyAMA0" },
    stopsWithoutKernel: true,
  },
  "pi-5": {
    model: "Raspberry Pi 5 Model B Rev 1.0",
    revision: "c04170",
    macPrefix: "2c:cf:67",
    cardFirst: false,
    filters: ["pi5"],
    bootRom: [],
    deviceTree: { downstream: "bcm2712-rpi-5-b.dtb", upstream: "bcm2712-rpi-5-b.dtb" },
    is64Bit: "only",
    serial0: { withBluetooth: "ttyAMA10", without: "ttyAMA10" },
    stopsWithoutKernel: false,
  },
} as const satisfies Record<string, PiModel>;

/** Name of a model. */
export type PiModelName = keyof typeof piModels;

/** Files that boot ROMs and firmware of all models take from a boot tree that was built, besides config.txt. */
export const filesOfBuiltTree: readonly string[] = [
  ...new Set(
    Object.values<PiModel>(piModels).flatMap(({ bootRom, firmware, deviceTree }) => [
      // A signature is there only for boards that have their keys burnt in.
      ...bootRom.filter((name) => name !== "bootsig.bin"),
      ...(firmware?.plain ?? []),
      deviceTree.upstream,
    ]),
  ),
  "u-boot.bin",
];
