import { bootFolder, isBootKey, parseBoardPath } from "./parse-board-path.ts";

/** Files that boards ask for and that are normally missing, by who asks and why. */
const expected: readonly RegExp[] = [
  // U-Boot asks by UUID and by address, and for defaults, besides the one by MAC address that is always there.
  /^(.*\/)?pxelinux\.cfg\//,
  // The boot ROM: signed boot, a choice of partitions.
  /^(bootsig\.bin|autoboot\.txt|tryboot\.txt)$/,
  // Bootloader and firmware: recovery, updates of the EEPROM and of the USB controller, boot in one file.
  /^(recovery\.(elf|bin)|recover4\.elf|(pieeprom|vl805)\.(sig|upd|bin)|boot\.(img|sig))$/,
  // Firmware: what only some systems have beside the kernel. U-Boot needs no command line of the firmware's.
  /^(dt-blob\.bin|bootcfg\.txt|armstub\d*(-[a-z0-9]+)?\.bin|cmdline\.txt)$/,
  // Firmware looks whether there are overlays; and under upstream_kernel=1 into a folder of that name first.
  /^(overlays\/(overlay_map\.dtb|hat_map\.dtb|README)|upstream\/.*)$/,
];

/**
 * Whether a board that asks for the path, and hears that there is no such file, boots all the same. The names are those
 * of Raspberry Pi's documentation (computers/raspberry-pi: "Raspberry Pi boot EEPROM", "Network boot"; config_txt) and
 * of captured boots (test/unit/controller/boot-tree/request-sequences.ts).
 *
 * @param path as it was asked for, in the board's own folder or not
 */
export function isExpectedMiss(path: string): boolean {
  const { boot, file } = fileOf(path);
  // A boot that began before the boot target changed finds nothing under its old key, and starts again.
  if (boot && /^(kernel|initrd\d*|cmdline\.txt)$/.test(file)) return true;
  return expected.some((pattern) => pattern.test(file));
}

/** A path as all boards share it: without the board's own folder, and without that of one of its boots. */
export function sharedPath(path: string): string {
  return fileOf(path).file;
}

function fileOf(path: string): { readonly file: string; readonly boot: boolean } {
  const { segments } = parseBoardPath(path);
  const [folder, key = "", ...rest] = segments;
  const boot = folder === bootFolder && isBootKey(key) && rest.length > 0;
  return { boot, file: (boot ? rest : segments).join("/") };
}
