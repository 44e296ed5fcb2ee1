import { restartModules } from "../../controller/rootfs/module-lists.ts";

/**
 * Modules of the initrd: whatever the root filesystem may be on, in QEMU's virt machine and on a Pi 3 or 4.
 * Names as modprobe(8) takes them.
 */
export const storageModules = [
  ...restartModules,
  "virtio_pci",
  "virtio_mmio",
  "virtio_blk",
  "bcm2835",
  "sdhci_iproc",
  "sdhci_pci",
  "mmc_block",
  "reset_raspberrypi",
  "gpio_regulator",
  "fixed",
  "crc32c_generic",
  "ext4",
] as const;

/** Modules that the root filesystem keeps besides: the network, FAT, USB storage, what an agent needs. */
export const systemModules = [
  ...storageModules,
  "vfat",
  "nls_ascii",
  "nls_cp437",
  "nls_iso8859_1",
  "nls_utf8",
  // So that "rootfs import" can make a root on the network of it.
  "nfs",
  "nfsv3",
  "overlay",
  "loop",
  "virtio_net",
  "virtio_rng",
  "e1000",
  "genet",
  "mdio_bcm_unimac",
  "broadcom",
  "fixed_phy",
  "dwc2",
  "phy_generic",
  "smsc95xx",
  "smsc",
  "lan78xx",
  "microchip",
  "xhci_pci",
  "pcie_brcmstb",
  "cdc_ether",
  "usb_storage",
  "sd_mod",
  // For the tests' systems with a bridge; see scripts/systemd-image.
  "bridge",
] as const;
