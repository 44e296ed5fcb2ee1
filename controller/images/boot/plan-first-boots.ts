import { firstBootTaskOf } from "./first-boot-words.ts";

/**
 * The boots in which an image's words for its first boot are given, in order. `firstboot` and `init_resize.sh` run in
 * the place of init, and reboot; what systemd is to run then waits for the next boot. From their own cmdline.txt that is
 * so because each takes its own word out.
 *
 * @param words an image's first-boot words, as they stand
 */
export function planFirstBoots(words: readonly string[]): readonly (readonly string[])[] {
  if (words.length === 0) return [];
  const script = words.filter((word) => firstBootTaskOf(word) === "systemd-run");
  const takesInit = words.some((word) => ["firstboot", "init-resize"].includes(firstBootTaskOf(word) ?? ""));
  return takesInit && script.length > 0 ? [words, script] : [words];
}

/** Where the script that systemd is to run in the first boot lies in a folder of its own, "/boot/firstrun.sh". */
const scriptInBoot = /^"?systemd\.run="?\/boot\/([^/"]+)"*$/;

/** The script in /boot that a first-boot word makes systemd run: its path; undefined for any other word. */
export function scriptInBootOf(word: string): string | undefined {
  const name = scriptInBoot.exec(word)?.[1];
  return name === undefined ? undefined : `/boot/${name}`;
}

/** The name of the script in the firmware's partition that a first-boot word makes systemd run; undefined for any other. */
export function scriptNameOf(word: string): string | undefined {
  return /^"?systemd\.run="?\/boot\/(?:firmware\/)?([^/"]+)"*$/.exec(word)?.[1];
}

/**
 * The same words with the scripts of /boot looked for in /boot/firmware, where fstab(5) mounts the firmware partition
 * there. Raspberry Pi Imager says /boot/firstrun.sh whatever the system; the system's initrd (raspberrypi-sys-mods:
 * local-bottom/imager_fixup) corrects that on the card's own cmdline.txt, and reboots, which would be lost on us.
 *
 * @param present paths of /boot that the root filesystem has itself
 */
export function correctScriptPaths(
  words: readonly string[],
  fstab: string,
  present: ReadonlySet<string>,
): readonly string[] {
  if (!/^[^#\s]\S*\s+\/boot\/firmware\s/m.test(fstab)) return words;
  return words.map((word) => {
    const path = scriptInBootOf(word);
    return path === undefined || present.has(path) ? word : word.replace("/boot/", "/boot/firmware/");
  });
}
