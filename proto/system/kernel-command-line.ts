/**
 * Kernel words through which the controller, and operators, tell booting agents what they cannot find out themselves.
 */
export const agentWords = {
  /** HOST:PORT of the controller; also says that a controller netbooted this node. */
  controller: "pallet.controller",
  /** MAC address by which the node booted. */
  node: "pallet.node",
  /** Of agents from before certificates; refused, with the remedy. */
  insecureTcp: "pallet.insecure-tcp",
  /** Fingerprint of the certificate authority that the controller goes by. */
  authority: "pallet.ca",
  /** Good for one enrolment of this node, within minutes. */
  token: "pallet.token",
  /** Everything is plain, for a bench: no certificates at all. */
  insecure: "pallet.insecure",
} as const;

/**
 * The words of a kernel command line, split and unquoted as the kernel itself does it (next_arg() in lib/cmdline.c):
 * words end at white space outside double quotes; quotes around a whole word or around a value are dropped.
 * A word without "=" has the empty value. The last of several equal words wins. What follows "--" is meant for init,
 * not for kernel parameters, and is left out.
 */
export function parseKernelCommandLine(text: string): ReadonlyMap<string, string> {
  const words = new Map<string, string>();
  for (const word of splitKernelWords(text)) {
    if (word === "--") break;
    const [name, value] = splitKernelWord(word);
    if (name !== "") words.set(name, value);
  }
  return words;
}

/** The words of a kernel command line as they stand there, quotes included; also those after "--". */
export function splitKernelWords(text: string): string[] {
  const words: string[] = [];
  let word = "";
  let quoted = false;
  for (const character of text) {
    if (/\s/.test(character) && !quoted) {
      if (word !== "") words.push(word);
      word = "";
      continue;
    }
    if (character === '"') quoted = !quoted;
    word += character;
  }
  if (word !== "") words.push(word);
  return words;
}

/** The name and the value of a word, unquoted; the value of a word without "=" is empty. */
export function splitKernelWord(word: string): [name: string, value: string] {
  const whole = word.startsWith('"') ? word.slice(1) : word;
  const equals = whole.indexOf("=", 1);
  if (equals === -1) return [word === whole ? whole : withoutFinalQuote(whole), ""];
  const value = whole.slice(equals + 1);
  const quoted = value.startsWith('"');
  const inner = quoted ? value.slice(1) : value;
  return [whole.slice(0, equals), quoted || word !== whole ? withoutFinalQuote(inner) : inner];
}

function withoutFinalQuote(text: string): string {
  return text.endsWith('"') ? text.slice(0, -1) : text;
}
