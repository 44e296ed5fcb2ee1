import { targets } from "./targets.ts";

/** The operator's choices for the firmware's configuration. */
export interface ConfigTxtOptions {
  /** Whether Raspberry Pi 2 and 3 run 32-bit systems; a Pi 4 is always 64-bit here. */
  readonly bits: 32 | 64;
}

/**
 * Renders the config.txt that every board shares: U-Boot takes the place of the kernel. It is read by boot ROMs and
 * firmware of all models (raspberrypi.com/documentation/computers/config_txt.html), so what only some may do stands
 * under their filter. A line may have 98 characters. Where U-Boot has no Ethernet, the controller adds a section for
 * that node when it is asked for the file (controller/boot/render-firmware-config.ts).
 */
export function renderConfigTxt({ bits }: ConfigTxtOptions): string {
  const small = [
    "",
    "# 32-bit systems, as the operator chose.",
    ...["[pi2]", "[pi3]"].flatMap((filter) => [filter, "arm_64bit=0", `kernel=${targets.rpi_3_32b.treePath}`]),
  ];
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
    ...(bits === 32 ? small : []),
    "",
    "[all]",
  ];
  return `${lines.join("\n")}\n`;
}
