/** What a word of the kernel command line that is meant for the first boot only makes an image do. */
export type FirstBootTask =
  /** Raspberry Pi OS since trixie: its initrd grows the root partition and gives the disk another id. */
  | "resize"
  /** Raspberry Pi OS bookworm: `firstboot` as init grows the root, makes host keys, applies custom.toml, changes the id. */
  | "firstboot"
  /** Older Raspberry Pi OS: `init_resize.sh` as init grows the root partition and gives the disk another id. */
  | "init-resize"
  /** A script that systemd runs in the place of the system, as Raspberry Pi Imager's firstrun.sh. */
  | "systemd-run";

/**
 * Words of an image's kernel command line that are meant for its first boot only. The program each starts takes its own
 * word out of cmdline.txt on the card and reboots; over the network the words come from the controller, so such a word
 * would come back forever.
 *
 * Raspberry Pi OS (raspberrypi-sys-mods: local-premount/resize_early, local-bottom/set_partuuid, firstboot; raspi-config:
 * init_resize.sh), and Raspberry Pi Imager's firstrun.sh, which systemd's run generator starts
 * (systemd-run-generator(8)).
 */
const firstBootWords: readonly (readonly [RegExp, FirstBootTask])[] = [
  [/^resize$/, "resize"],
  [/^init=\S*\/firstboot$/, "firstboot"],
  [/^init=\S*\/init_resize\.sh$/, "init-resize"],
  [/^(systemd\.run(_\w+)?=|systemd\.unit=kernel-command-line\.target$)/, "systemd-run"],
];

/** What a word, with its quotes or without, does at the first boot; undefined for one that is for every boot. */
export function firstBootTaskOf(word: string): FirstBootTask | undefined {
  const plain = word.replaceAll('"', "");
  return firstBootWords.find(([pattern]) => pattern.test(plain))?.[1];
}

/** Whether a word, with its quotes or without, is meant for the first boot only. */
export function isFirstBootWord(word: string): boolean {
  return firstBootTaskOf(word) !== undefined;
}
