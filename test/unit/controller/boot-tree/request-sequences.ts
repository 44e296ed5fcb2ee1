/** What one model asks for by TFTP from power-on until it runs U-Boot or a kernel, in this order. */
export interface RequestSequence {
  readonly name: string;
  /** Where this was seen or written. */
  readonly source: string;
  /** A log of a real board with the names of our files put in, or put together from what its documentation says. */
  readonly evidence: "log" | "documentation";
  /** Block size that it asks for; 512 is TFTP's own and sent as no option. */
  readonly blockBytes: number;
  /** Requests; "{prefix}" stands for the os_prefix of the config.txt that the board has read last. */
  readonly requests: readonly string[];
}

const serial = "5e1fabcd";
const mac = "dc-a6-32-00-00-01";

/** The last requests of every boot that goes by U-Boot: net/tftp.c and cmd/pxe.c. */
const uBootRequests = ["pxelinux.cfg/01-dc-a6-32-00-00-01", "agent/vmlinuz", "agent/initrd.img"];

export const requestSequences: readonly RequestSequence[] = [
  {
    name: "pi-3",
    source:
      "log of a Pi 3B+ in github.com/PlexMor/raspi-netboot and firmware#1012 (Pi 3B+, tftpd); bootsig.bin: Raspberry Pi " +
      "documentation, computers/raspberry-pi/boot-net. The device tree's name is the one that upstream_kernel=1 makes of it",
    evidence: "log",
    blockBytes: 1024,
    requests: [
      "bootcode.bin",
      "bootsig.bin",
      ...[
        "start.elf",
        "autoboot.txt",
        "config.txt",
        "recovery.elf",
        "start.elf",
        "fixup.dat",
        "recovery.elf",
        "config.txt",
        "config.txt",
        "dt-blob.bin",
        "recovery.elf",
        "config.txt",
        "bootcfg.txt",
        "upstream/bcm2837-rpi-3-b-plus.dtb",
        "bcm2837-rpi-3-b-plus.dtb",
        "overlays/overlay_map.dtb",
        "config.txt",
        "cmdline.txt",
        "upstream/u-boot.bin",
        "u-boot.bin",
      ].map((path) => `${serial}/${path}`),
      ...uBootRequests,
    ],
  },
  {
    name: "pi-3-without-serial",
    source:
      "firmware#1362 (Pi 3, dnsmasq): a server that says <serial>/start.elf is missing is asked for everything in the root",
    evidence: "log",
    blockBytes: 512,
    requests: [
      "bootcode.bin",
      "bootsig.bin",
      "autoboot.txt",
      "config.txt",
      "recovery.elf",
      "start.elf",
      "fixup.dat",
      "recovery.elf",
      "config.txt",
      "bcm2837-rpi-3-b.dtb",
      "cmdline.txt",
      "u-boot.bin",
      ...uBootRequests,
    ],
  },
  {
    name: "pi-4",
    source:
      "rpi-eeprom#74 (tcpdump) and #417 (bootloader's UART log): start4.elf is a probe for the folder; then config.txt, and " +
      "updates of the EEPROM and a recovery, which must not be there",
    evidence: "log",
    blockBytes: 1024,
    requests: [
      ...[
        "start4.elf",
        "config.txt",
        "vl805.sig",
        "pieeprom.sig",
        "recover4.elf",
        "recovery.elf",
        "start4.elf",
        "fixup4.dat",
        "config.txt",
        "dt-blob.bin",
        "bootcfg.txt",
        "upstream/bcm2711-rpi-4-b.dtb",
        "bcm2711-rpi-4-b.dtb",
        "overlays/overlay_map.dtb",
        "cmdline.txt",
        "armstub8-gic.bin",
        "u-boot.bin",
      ].map((path) => `${serial}/${path}`),
      ...uBootRequests,
    ],
  },
  {
    name: "pi-4-mac-prefix",
    source: "rpi-eeprom's bootloader configuration, TFTP_PREFIX=2; otherwise as pi-4",
    evidence: "documentation",
    blockBytes: 1024,
    requests: [
      ...[
        "start4.elf",
        "config.txt",
        "recover4.elf",
        "fixup4.dat",
        "bcm2711-rpi-4-b.dtb",
        "cmdline.txt",
        "u-boot.bin",
      ].map((path) => `${mac}/${path}`),
      ...uBootRequests,
    ],
  },
  {
    name: "pi-5",
    source:
      "Raspberry Pi documentation, computers/config_txt (os_prefix, kernel, initramfs, device tree), and nobodd's " +
      '"Netboot on the Pi": a Pi 5 has its firmware in its EEPROM and asks for no start*.elf. Not captured from a board',
    evidence: "documentation",
    blockBytes: 1468,
    requests: [
      `${serial}/config.txt`,
      `${serial}/pieeprom.sig`,
      `${serial}/boot.img`,
      `${serial}/{prefix}kernel`,
      `${serial}/{prefix}bcm2712-rpi-5-b.dtb`,
      `${serial}/config.txt`,
      `${serial}/{prefix}initrd`,
      `${serial}/{prefix}bcm2712-rpi-5-b.dtb`,
      `${serial}/overlays/overlay_map.dtb`,
      `${serial}/{prefix}cmdline.txt`,
      `${serial}/armstub8-2712.bin`,
      `${serial}/{prefix}kernel`,
    ],
  },
  {
    name: "pi-5-that-ignores-os-prefix",
    source:
      "config_txt documentation: os_prefix is ignored when kernel or device tree are missing under it; then these",
    evidence: "documentation",
    blockBytes: 1468,
    requests: [`${serial}/config.txt`, `${serial}/kernel`, `${serial}/kernel_2712.img`, `${serial}/cmdline.txt`],
  },
];
