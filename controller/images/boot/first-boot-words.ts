/**
 * Words of an image's kernel command line that are meant for its first boot only. The program each starts takes its own
 * word out of cmdline.txt on the card and reboots; over the network the words come from the controller, so such a word
 * would come back forever. Of Raspberry Pi OS it also gives the disk another id, so that root=PARTUUID= would find
 * nothing.
 *
 * Raspberry Pi OS's firstboot and its older init_resize.sh, and Raspberry Pi Imager's firstrun.sh, which systemd's run
 * generator starts (systemd-run-generator(8)).
 */
const firstBootOnly =
  /^(init=\S*\/(firstboot|init_resize\.sh)$|systemd\.run(_\w+)?=|systemd\.unit=kernel-command-line\.target$)/;

/** Whether a word, with its quotes or without, is meant for the first boot only. */
export function isFirstBootWord(word: string): boolean {
  return firstBootOnly.test(word.replaceAll('"', ""));
}
