/** What a board does with its card before it runs anything of ours. */
export interface BoardFirmware {
  /** Whether it looks at its card before the network, whatever is set on it. */
  readonly cardFirst: boolean;
  /**
   * Names of the files in the root folder of a FAT partition that it boots from; without them it continues to the
   * network.
   */
  readonly files: readonly string[];
}

/** The boot ROM of a BCM2837 looks for this file on every medium, in a fixed order: card, then USB and network. */
export const bootRomFile = "bootcode.bin";
/** The bootloader in a Pi 4's EEPROM loads the firmware itself; config.txt chooses among these (start_x, gpu_mem …). */
const eepromPi4 = ["start4.elf", "start4x.elf", "start4cd.elf", "start4db.elf", "start.elf"];
/** That of a Pi 5 has the firmware in it, and takes config.txt as the sign that a partition is to be booted. */
const eepromPi5 = ["config.txt"];

/**
 * What is known of a board by the model that its device tree names. From Raspberry Pi's documentation: "Boot sequence"
 * (bootflow-legacy.adoc), "EEPROM boot flow" (bootflow-eeprom.adoc) with PARTITION_WALK, which says what makes a
 * partition bootable. Boards with an EEPROM follow its BOOT_ORDER, which nobody else can see.
 */
export function boardFirmwareOf(model: string): BoardFirmware {
  const name = /^Raspberry Pi (.*)$/.exec(model)?.[1] ?? "";
  if (/^(2|3|Zero 2|Compute Module 3)\b/.test(name)) return { cardFirst: true, files: [bootRomFile] };
  if (/^(4|400|Compute Module 4S?)\b/.test(name)) return { cardFirst: false, files: eepromPi4 };
  if (/^(5|500|Compute Module 5)\b/.test(name)) return { cardFirst: false, files: eepromPi5 };
  return { cardFirst: false, files: [bootRomFile, ...eepromPi4, ...eepromPi5] };
}
