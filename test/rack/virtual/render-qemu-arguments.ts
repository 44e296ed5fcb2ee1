/** What differs between virtual Pis. */
export interface VirtualMachine {
  /** Path of U-Boot. */
  readonly uBoot: string;
  /** Path of the raw file that is the SD card. */
  readonly card: string;
  readonly mac: string;
  /** Tap interface, there already, in the network namespace that QEMU runs in. */
  readonly tap: string;
  readonly memoryBytes: number;
}

/**
 * Arguments of qemu-system-aarch64 for a machine that boots as a Pi does: U-Boot first, an SD card that Linux sees as
 * /dev/mmcblk0, a serial console on standard output. One emulated core, because more gain nothing under TCG.
 */
export function renderQemuArguments({ uBoot, card, mac, tap, memoryBytes }: VirtualMachine): readonly string[] {
  // In QEMU's option lists a comma is written twice.
  const value = (text: string) => text.replaceAll(",", ",,");
  return [
    ...["-nodefaults", "-no-user-config", "-display", "none", "-serial", "stdio", "-monitor", "none"],
    ...["-machine", "virt", "-cpu", "cortex-a53", "-smp", "1", "-m", `${memoryBytes / (1024 * 1024)}M`],
    // A bigger cache of translated code would only cost memory.
    ...["-accel", "tcg,thread=multi,tb-size=256"],
    ...["-bios", uBoot],
    // unsafe: the host stays up when QEMU is killed, so what is in its page cache is as good as on a medium.
    ...["-drive", `if=none,id=sd,format=raw,cache=unsafe,file=${value(card)}`],
    ...["-device", "sdhci-pci", "-device", "sd-card,drive=sd"],
    ...["-device", "virtio-rng-pci"],
    // Without an option ROM, which nothing here would run; U-Boot 2023.01 reads the MAC of a virtio card wrongly.
    ...["-netdev", `tap,id=net,ifname=${tap},script=no,downscript=no`],
    ...["-device", `e1000,netdev=net,mac=${mac},romfile=`],
  ];
}
