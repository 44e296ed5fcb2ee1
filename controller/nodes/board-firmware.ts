/** What a board does with its card before it runs anything of ours. */
export interface BoardFirmware {
  /** Whether it looks at its card before the network, whatever is set on it. */
  readonly cardFirst: boolean;
  /**
   * Names of the files in the root folder of a FAT partition that it boots from; without them it continues to the
   * network.
   */
  readonly files: readonly string[];
  /** File on the card that goes on asking the network where the boot ROM itself would give up; absent where none does. */
  readonly asksOn?: string;
}

/** The boot ROM of a BCM2837 looks for this file on every medium, in a fixed order: card, then USB and network. */
export const bootRomFile = "bootcode.bin";
/**
 * What bootcode.bin looks for on the card that it was loaded from (it prints "Found SD card, config.txt = 0, start.elf =
 * 0, recovery.elf = 0"), and the other names of start.elf that are in it. Where it finds none, it asks the network
 * itself ("bootcode.bin-only" in bootmodes.adoc).
 */
const bootcodeFiles = ["config.txt", "start.elf", "start_x.elf", "start_cd.elf", "start_db.elf", "recovery.elf"];
/** The bootloader in a Pi 4's EEPROM loads the firmware itself; config.txt chooses among these (start_x, gpu_mem …). */
const eepromPi4 = ["start4.elf", "start4x.elf", "start4cd.elf", "start4db.elf", "start.elf"];
/** That of a Pi 5 has the firmware in it, and takes config.txt as the sign that a partition is to be booted. */
const eepromPi5 = ["config.txt"];

/**
 * What is known of a board by the model that its device tree names. From Raspberry Pi's documentation: "Boot sequence"
 * (bootflow-legacy.adoc), "EEPROM boot flow" (bootflow-eeprom.adoc) with PARTITION_WALK, which says what makes a
 * partition bootable. Boards with an EEPROM follow its BOOT_ORDER, which nobody else can see.
 *
 * The boot ROM asks DHCP five times in 25 s, and then sleeps until its power is cut; Raspberry Pi's remedy is a card with
 * bootcode.bin alone, which asks on ("Known problems" in boot-net.adoc). That reduces what a power cut leaves behind and
 * does not remove it: raspberrypi/firmware#941 and #1124 report bootcode.bin stuck, too. A Pi 2 and a Pi 3B, whose ROM has
 * the most faults, keep it. On a Pi 3B+ it was reported not to reach the network at all (#963, #987), and its ROM is a
 * better one; the others have no Ethernet of their own.
 */
export function boardFirmwareOf(model: string): BoardFirmware {
  const name = /^Raspberry Pi (.*)$/.exec(model)?.[1] ?? "";
  if (/^(2|3) Model B(?! Plus)/.test(name)) return { cardFirst: true, files: bootcodeFiles, asksOn: bootRomFile };
  if (/^(2|3|Zero 2|Compute Module 3)\b/.test(name)) return { cardFirst: true, files: [bootRomFile] };
  if (/^(4|400|Compute Module 4S?)\b/.test(name)) return { cardFirst: false, files: eepromPi4 };
  if (/^(5|500|Compute Module 5)\b/.test(name)) return { cardFirst: false, files: eepromPi5 };
  return { cardFirst: false, files: [bootRomFile, ...eepromPi4, ...eepromPi5] };
}
