/**
 * The words of a command line as bash gives them to a function of completion: split at blanks, and at the "=" and ":" of
 * COMP_WORDBREAKS outside of quotes, which become words of their own. A line that ends with a blank has an empty last one.
 */
export function readlineWords(line: string): readonly string[] {
  const words: string[] = [];
  const part = /(?<blank>\s+)|(?<breaks>[=:]+)|(?<word>(?:\\.|'[^']*'?|"[^"]*"?|[^\s=:\\'"])+)/g;
  for (const { groups } of line.matchAll(part)) {
    const { breaks, word } = groups ?? {};
    if (breaks !== undefined || word !== undefined) words.push(breaks ?? word ?? "");
  }
  return /\s$/.test(line) ? [...words, ""] : words;
}
