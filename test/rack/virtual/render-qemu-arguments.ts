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
  /** How QEMU's "file" driver does its work (qemu(1), -drive aio=). */
  readonly asynchronousIo: AsynchronousIo;
}

/** By one thread handing every block of the card to another; or by the kernel, at a third of the cost (measured). */
export type AsynchronousIo = "threads" | "io_uring";

/**
 * Arguments of qemu-system-aarch64 for a machine that boots as a Pi does: U-Boot first, an SD card that Linux sees as
 * /dev/mmcblk0, a serial console on standard output. One emulated core, because more gain nothing under TCG.
 */
export function renderQemuArguments(machine: VirtualMachine): readonly string[] {
  const { uBoot, card, mac, tap, memoryBytes, asynchronousIo } = machine;
  return [
    ...["-nodefaults", "-no-user-config", "-display", "none", "-serial", "stdio", "-monitor", "none"],
    ...["-machine", "virt", "-cpu", "cortex-a53", "-smp", "1", "-m", `${memoryBytes / (1024 * 1024)}M`],
    // A bigger cache of translated code would only cost memory.
    ...["-accel", "tcg,thread=multi,tb-size=256"],
    ...["-bios", uBoot],
    ...renderCardDrive(card, asynchronousIo),
    ...["-device", "sdhci-pci", "-device", "sd-card,drive=sd"],
    ...["-device", "virtio-rng-pci"],
    // Without an option ROM, which nothing here would run; U-Boot 2023.01 reads the MAC of a virtio card wrongly.
    ...["-netdev", `tap,id=net,ifname=${tap},script=no,downscript=no`],
    ...["-device", `e1000,netdev=net,mac=${mac},romfile=`],
  ];
}

/** The file that the card's content is in, as the drive "sd". */
export function renderCardDrive(card: string, asynchronousIo: AsynchronousIo): readonly string[] {
  // In QEMU's option lists a comma is written twice.
  const file = card.replaceAll(",", ",,");
  // unsafe: the host stays up when QEMU is killed, so what is in its page cache is as good as on a medium.
  return ["-drive", `if=none,id=sd,format=raw,cache=unsafe,aio=${asynchronousIo},file=${file}`];
}
