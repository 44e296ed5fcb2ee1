/**
 * What restarts a Pi 2, 3 or 4: they have no PSCI, so until this is loaded `reboot` and `panic=` end in "System
 * halted". Loaded before all others.
 */
export const restartModules = ["bcm2835_wdt"] as const;

/**
 * Modules of the initrd, with all that they need: the network of QEMU's virt machine, a Pi 3 and a Pi 4, and
 * an NFS root with an overlay. Which of the drivers are loaded is decided by the hardware. Names as modprobe(8) takes
 * them.
 */
export const networkRootModules = [
  ...restartModules,
  "nfs",
  "nfsv3",
  "overlay",
  "virtio_pci",
  "virtio_mmio",
  "virtio_net",
  "virtio_rng",
  "e1000",
  // The watchdog that QEMU has for PCI.
  "i6300esb",
  // Pi 3: Ethernet is on USB. The physical layer chips are asked for by the drivers themselves.
  "dwc2",
  "phy_generic",
  "smsc95xx",
  "smsc",
  "lan78xx",
  "microchip",
  "usbnet",
  // Pi 4
  "genet",
  "mdio_bcm_unimac",
  "broadcom",
  "fixed_phy",
  // USB network adapters that people have at hand
  "xhci_pci",
  "reset_raspberrypi",
  "pcie_brcmstb",
  "ax88179_178a",
  "asix",
  "r8152",
  "cdc_ether",
] as const;

/** Modules that the root filesystem keeps besides: disks and their filesystems, LEDs, temperature, random numbers. */
export const systemModules = [
  ...networkRootModules,
  "loop",
  "squashfs",
  "virtio_blk",
  "sdhci_pci",
  "sdhci_iproc",
  "bcm2835",
  "mmc_block",
  "gpio_regulator",
  "fixed",
  "crc32c_generic",
  "ext4",
  "vfat",
  "nls_ascii",
  "nls_cp437",
  "nls_iso8859_1",
  "nls_utf8",
  "sd_mod",
  "usb_storage",
  "uas",
  "nvme",
  "bcm2711_thermal",
  "bcm2835_thermal",
  "raspberrypi_cpufreq",
  "iproc_rng200",
  "bcm2835_rng",
  "leds_gpio",
  "ledtrig_timer",
] as const;

/**
 * A Pi 5's way to its Ethernet, which is in the RP1 behind PCIe: interrupts, clocks and pins of the RP1 before the
 * adapter. PCIe itself, firmware and power are part of the kernel that has these (from 6.17 on).
 */
export const pi5NetworkModules = [
  "irq_bcm2712_mip",
  "rp1_pci",
  "clk_rp1",
  "pinctrl_rp1",
  "pinctrl_brcmstb_bcm2712",
  "gpio_brcmstb",
  "reset_raspberrypi",
  "macb",
  "broadcom",
] as const;

/** The rest of a Pi 5: its card, its USB. */
export const pi5SystemModules = ["sdhci_brcmstb", "dwc3", "xhci_plat_hcd"] as const;
