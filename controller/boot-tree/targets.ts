/** The builds of U-Boot, by the names of its defconfigs. */
export const targetNames = ["rpi_arm64", "qemu_arm64"] as const;
export type TargetName = (typeof targetNames)[number];

/** One build of U-Boot. */
export interface UBootTarget {
  readonly name: TargetName;
  /** What it runs on. */
  readonly about: string;
  /** Prefix of the compiler's programs, and the one that has to be there. */
  readonly crossCompile: string;
  readonly compiler: "aarch64-linux-gnu-gcc";
  /** Where the binary is in the boot tree. */
  readonly treePath: string;
  /** Variables of its environment besides those that every target has. */
  readonly environment: Readonly<Record<string, string>>;
}

/**
 * Where a Raspberry Pi's U-Boot puts what it loads; the smallest board with Ethernet has 1 GB. The kernel has its place
 * at the bottom, and 127 MB; a gzipped kernel is loaded behind it and unpacked there; the initrd lies from 256 MB up to the firmware's device tree, which is at about 700 MB and must stay where it is
 * (include/configs/rpi.h explains why).
 */
const raspberryPiMemory = {
  kernel_addr_r: "0x00080000",
  pxefile_addr_r: "0x08000000",
  fdt_addr_r: "0x08100000",
  kernel_comp_addr_r: "0x08200000",
  kernel_comp_size: "0x02000000",
  ramdisk_addr_r: "0x10000000",
};

/** Raspberry Pi 3 and older have their Ethernet on USB, a Pi 4 has it on the chip: each needs its own half of this. */
const raspberryPi = {
  ...raspberryPiMemory,
  preboot: "pci enum; usb start",
  stdin: "serial",
  stdout: "serial,vidconsole",
  stderr: "serial,vidconsole",
  // A USB device that failed to come up is only found by enumerating again.
  renew_network: "usb reset",
};

/** Every target. Addresses are hexadecimal, as U-Boot reads them. */
export const targets: Readonly<Record<TargetName, UBootTarget>> = {
  rpi_arm64: {
    name: "rpi_arm64",
    about: "Raspberry Pi 2 v1.2, 3 and 4",
    crossCompile: "aarch64-linux-gnu-",
    compiler: "aarch64-linux-gnu-gcc",
    treePath: "u-boot.bin",
    environment: { ...raspberryPi, fdt_high: "ffffffffffffffff", initrd_high: "ffffffffffffffff" },
  },
  qemu_arm64: {
    name: "qemu_arm64",
    about: "QEMU's virt machine, for the virtual rack",
    crossCompile: "aarch64-linux-gnu-",
    compiler: "aarch64-linux-gnu-gcc",
    treePath: "qemu_arm64/u-boot.bin",
    environment: {
      preboot: "pci enum",
      renew_network: "pci enum",
      fdt_addr: "0x40000000",
      pxefile_addr_r: "0x40300000",
      kernel_addr_r: "0x40400000",
      kernel_comp_addr_r: "0x48000000",
      kernel_comp_size: "0x02000000",
      ramdisk_addr_r: "0x50000000",
      fdt_high: "0xffffffff",
      initrd_high: "0xffffffff",
    },
  },
};
