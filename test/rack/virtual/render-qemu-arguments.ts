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
  /** Path of the unix socket on which QEMU takes orders (QMP). */
  readonly monitor: string;
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
  const { uBoot, card, mac, tap, memoryBytes, monitor, asynchronousIo } = machine;
  return [
    ...["-nodefaults", "-no-user-config", "-display", "none", "-serial", "stdio", "-monitor", "none"],
    ...["-qmp", `unix:${monitor.replaceAll(",", ",,")},server=on,wait=off`],
    ...["-machine", "virt", "-cpu", "cortex-a53", "-smp", "1", "-m", `${memoryBytes / (1024 * 1024)}M`],
    // A bigger cache of translated code would only cost memory.
    ...["-accel", "tcg,thread=multi,tb-size=256"],
    ...["-bios", uBoot],
    ...renderCardDrive(card, asynchronousIo, "none"),
    ...["-device", "sdhci-pci", "-device", "sd-card,drive=sd"],
    ...["-device", "virtio-rng-pci"],
    // What a Pi has of its own: a watchdog, and sockets for USB.
    ...["-device", "i6300esb", "-device", "qemu-xhci"],
    // Without an option ROM, which nothing here would run; U-Boot 2023.01 reads the MAC of a virtio card wrongly.
    ...["-netdev", `tap,id=net,ifname=${tap},script=no,downscript=no`],
    ...["-device", `e1000,netdev=net,mac=${mac},romfile=`],
  ];
}

/** What differs between emulated Pi 3s, and between the boots of one. */
export interface Pi3Machine extends Pick<VirtualMachine, "card" | "mac" | "tap" | "asynchronousIo"> {
  /** Paths of what U-Boot has loaded. */
  readonly kernel: string;
  readonly initrd?: string;
  readonly deviceTree: string;
  readonly commandLine: string;
}

/**
 * Arguments of qemu-system-aarch64 for a Raspberry Pi 3B with 1 GiB, as U-Boot has left it: QEMU starts the kernel. It
 * has the SoC's own SD host, USB host, watchdog and UARTs; what QEMU lacks is the Ethernet chip, so a network adapter
 * is in a USB socket. The console on standard output is that of the pins, the SoC's second UART.
 */
export function renderPi3Arguments(machine: Pi3Machine): readonly string[] {
  const { kernel, initrd, deviceTree, commandLine, card, mac, tap, asynchronousIo } = machine;
  return [
    ...["-nodefaults", "-no-user-config", "-display", "none", "-monitor", "none"],
    ...["-serial", "null", "-serial", "stdio"],
    ...["-machine", "raspi3b", "-m", "1G", "-accel", "tcg,thread=multi,tb-size=256"],
    ...["-kernel", kernel, ...(initrd === undefined ? [] : ["-initrd", initrd])],
    ...["-dtb", deviceTree, "-append", commandLine],
    ...renderCardDrive(card, asynchronousIo, "sd"),
    ...["-netdev", `tap,id=net,ifname=${tap},script=no,downscript=no`],
    ...["-device", `usb-net,netdev=net,mac=${mac},port=1`],
  ];
}

/** The file that the card's content is in, as the drive "sd"; in the machine's own slot by the interface "sd". */
export function renderCardDrive(
  card: string,
  asynchronousIo: AsynchronousIo,
  drivenBy: "none" | "sd",
): readonly string[] {
  // In QEMU's option lists a comma is written twice.
  const file = card.replaceAll(",", ",,");
  // unsafe: the host stays up when QEMU is killed, so what is in its page cache is as good as on a medium.
  return ["-drive", `if=${drivenBy},id=sd,format=raw,cache=unsafe,aio=${asynchronousIo},file=${file}`];
}
