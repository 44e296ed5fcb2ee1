import { Failure } from "../../../proto/failure.ts";

/** Longest command line that U-Boot passes on (CONFIG_SYS_CBSIZE, 1024 with its zero byte on Raspberry Pis). */
const maxCommandLineBytes = 1023;
/** Room for what Pallet adds to an image's words: root=, rootwait, the controller's address, the node's id, its proofs. */
const ownWordsBytes = 223 + 112;

/**
 * Throws Failure "invalid" naming the word of a kernel command line that would not arrive as it is: a space, line break
 * or other control character would begin another word or line; "#" in front begins a comment; U-Boot expands "$", "'"
 * and "\" (it runs the line as a command of its own), takes an initrd= for a file to load, and refuses what is too long.
 */
export function assertCommandLine(words: readonly string[], { hasInitrd }: { readonly hasInitrd: boolean }): void {
  for (const word of words) {
    const forbidden = /[^\x21-\x7e]|[$'\\]|^$/.exec(word);
    if (forbidden !== null)
      throw unusable(word, forbidden[0] === "" ? "empty" : `unusable because of ${JSON.stringify(forbidden[0])}`);
    if (!hasInitrd && word.includes("initrd=")) throw unusable(word, "read by U-Boot as a file to load");
  }
  if (words[0]?.startsWith("#")) throw unusable(words[0], "a comment", "first word");
  const commandLine = words.join(" ");
  if (commandLine.length > maxCommandLineBytes)
    throw new Failure(
      "invalid",
      `the kernel command line "${commandLine.slice(0, 80)}…" is longer than ${maxCommandLineBytes} bytes in a boot ` +
        "config; change it where it was set",
      { found: commandLine },
    );
}

/**
 * Throws Failure "unsupported" for a command line of an image that no boot config could carry, with what Pallet adds to
 * it: an image that cannot be booted is refused when it is added, not at its first boot.
 */
export function assertImageCommandLine(words: readonly string[], options: { readonly hasInitrd: boolean }): void {
  // Quoted words hold spaces, which arrive.
  const parts = words.flatMap((word) => word.split(/\s+/)).filter((word) => word !== "");
  try {
    assertCommandLine(parts, options);
  } catch (cause) {
    if (!(cause instanceof Failure)) throw cause;
    const why = cause.message.replace(/; change it where it was set$/, "");
    throw new Failure(
      "unsupported",
      `the image cannot be booted by its own command line: ${why}; edit its cmdline.txt`,
      {
        ...cause.evidence,
        cause,
      },
    );
  }
  const bytes = parts.join(" ").length;
  if (bytes <= maxCommandLineBytes - ownWordsBytes) return;
  throw new Failure(
    "unsupported",
    "the image's own kernel command line is too long to be booted by; shorten its cmdline.txt",
    {
      expected: `at most ${maxCommandLineBytes - ownWordsBytes} bytes, which leaves room for the words that Pallet adds`,
      found: `${bytes} bytes`,
    },
  );
}

function unusable(word: string, why: string, name = "word"): Failure {
  const message =
    `the ${name} of the kernel command line ${JSON.stringify(word)} is ${why} in a boot config; ` +
    "change it where it was set";
  return new Failure("invalid", message, { found: word });
}
