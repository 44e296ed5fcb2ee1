import { Failure } from "../../../proto/failure.ts";
import {
  parseKernelCommandLine,
  splitKernelWord,
  splitKernelWords,
} from "../../../proto/system/kernel-command-line.ts";
import { isFirstBootWord } from "./first-boot-words.ts";

/** A kernel command line from inside an image. */
export interface ImageCommandLine {
  /** The words that remain when the image is booted over the network. */
  readonly words: readonly string[];
  /** Those that are for the first boot only; see `firstBootTaskOf`. */
  readonly firstBootWords: readonly string[];
  /** What the image itself uses as its root, for example "PARTUUID=4e639091-02"; absent if it does not say. */
  readonly root?: string;
}

const maximumLength = 4096;
/** What the controller says itself, and what the boot loader says that we stand in for. */
const notTheImages: ReadonlySet<string> = new Set(["root", "nfsroot", "initrd", "BOOT_IMAGE"]);

/**
 * Parses cmdline.txt: words of its first line, quoted ones with their spaces. Left out of `words` are `root=` (the
 * controller names the root partition itself), `nfsroot=`, what a boot loader adds, and the first-boot words; all else, `rootfstype=`
 * and `init=` of other programs with it, is the image's own business. Throws Failure `unsupported` for a line that no
 * kernel would take: too long, or with control characters.
 */
export function parseCommandLine(text: string): ImageCommandLine {
  const line = (text.split(/\r?\n/).find((candidate) => candidate.trim() !== "") ?? "").trim();
  if (line.length > maximumLength || /\p{Cc}/u.test(line.replaceAll("\t", " "))) {
    throw new Failure("unsupported", "the image's kernel command line is too long or contains control characters", {
      expected: `at most ${maximumLength} printable characters`,
      found: `${line.length} characters`,
    });
  }
  const root = parseKernelCommandLine(line).get("root");
  const all = splitKernelWords(line).filter((word) => !notTheImages.has(splitKernelWord(word)[0]));
  return {
    words: all.filter((word) => !isFirstBootWord(word)),
    firstBootWords: all.filter(isFirstBootWord),
    ...(root !== undefined && root !== "" && { root }),
  };
}
