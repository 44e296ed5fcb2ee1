import { bootRomFile } from "../nodes/board-firmware.ts";

/** Firmware without which not every model boots over the network: from Debian's package, into every boot tree. */
export const requiredFirmware: readonly string[] = [bootRomFile, "start.elf", "fixup.dat", "start4.elf", "fixup4.dat"];
