import { Failure } from "../../../proto/failure.ts";

/** A kernel command line from inside an image. */
export interface ImageCommandLine {
  /** What stays when the image is booted over the network. */
  readonly words: readonly string[];
  /** What the image itself takes for its root, for example "PARTUUID=4e639091-02"; absent where it does not say. */
  readonly root?: string;
}

const maximumLength = 4096;

/**
 * First-boot words. The program each starts takes its own word out of cmdline.txt on the card and reboots. Over the
 * network the words come from the controller, so such a word would come back for ever:
 * Raspberry Pi OS's firstboot and its older init_resize.sh, and Raspberry Pi Imager's firstrun.sh.
 */
const firstBoot: readonly RegExp[] = [
  /^init=\/usr\/lib\/raspberrypi-sys-mods\/firstboot$/,
  /^init=\/usr\/lib\/raspi-config\/init_resize\.sh$/,
  /^systemd\.run=.*\bfirstrun\.sh$/,
  /^systemd\.run_success_action=reboot$/,
  /^systemd\.unit=kernel-command-line\.target$/,
];

/**
 * Parses cmdline.txt: words of its first line, quoted ones with their spaces. Left out of `words` are `root=` (the
 * controller names the root partition itself), `nfsroot=` and the first-boot words; everything else, `rootfstype=`
 * and `init=` of other programs with it, is the image's own business. Throws Failure `unsupported` for a line that no
 * kernel would take: too long, or with control characters.
 */
export function parseCommandLine(text: string): ImageCommandLine {
  const line = (text.split(/\r?\n/).find((candidate) => candidate.trim() !== "") ?? "").trim();
  if (line.length > maximumLength || /\p{Cc}/u.test(line.replaceAll("\t", " "))) {
    throw new Failure("unsupported", "the kernel command line in the image is too long or holds control characters", {
      expected: `at most ${maximumLength} printable characters`,
      found: `${line.length} characters`,
    });
  }
  const words = line.match(/(?:[^\s"]|"[^"]*"?)+/g) ?? [];
  const root = words.findLast((word) => word.startsWith("root="))?.slice("root=".length);
  const kept = words.filter(
    (word) => !/^(nfs)?root=/.test(word) && !firstBoot.some((pattern) => pattern.test(word.replaceAll('"', ""))),
  );
  return { words: kept, ...(root !== undefined && root !== "" && { root }) };
}
