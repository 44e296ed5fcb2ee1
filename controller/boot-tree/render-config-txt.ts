import { targets } from "./targets.ts";

/**
 * Renders the config.txt that every board shares: U-Boot takes the place of the kernel. It is read by boot ROMs and
 * firmware of all models (raspberrypi.com/documentation/computers/config_txt.html), so what only some may do stands
 * under their filter. A line may have 98 characters. Where U-Boot has no Ethernet, the controller adds a section for
 * that node when it is asked for the file (controller/boot/render-firmware-config.ts).
 */
export function renderConfigTxt(): string {
  const lines = [
    '# Made by "controller boot-tree build". Once you change it, later builds leave it alone.',
    "",
    "[all]",
    "# A console on the serial pins; on a Pi 3 this also fixes the clock of the mini UART.",
    "enable_uart=1",
    "# Debian's device trees use the upstream Linux kernel's names.",
    "upstream_kernel=1",
    "",
    "# The firmware starts U-Boot in place of a kernel.",
    "arm_64bit=1",
    `kernel=${targets.rpi_arm64.treePath}`,
    "",
    "[all]",
  ];
  return `${lines.join("\n")}\n`;
}
