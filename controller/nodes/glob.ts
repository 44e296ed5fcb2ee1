/** One element of a pattern: a literal character, any one, any number of any, or one of a set. */
type Token = { readonly kind: "one"; readonly accepts: (character: string) => boolean } | { readonly kind: "many" };

/** Whether a text is a pattern rather than a name: no name, MAC address or serial number has these characters. */
export function isGlob(text: string): boolean {
  return /[*?[]/.test(text);
}

/**
 * Makes a matcher of a pattern as shells have them, glob(7): "*", "?", "[abc]", "[a-z]", "[!a]". A "[" that nothing closes
 * stands for itself. Case does not count. Matching takes at most the product of both lengths, whatever the pattern.
 */
export function compileGlob(pattern: string): (text: string) => boolean {
  const tokens = tokensOf(pattern.toLowerCase());
  return (text) => matches(tokens, [...text.toLowerCase()]);
}

/** What every match begins with. */
export function literalPrefix(pattern: string): string {
  return pattern.slice(0, pattern.search(/[*?[]/));
}

function tokensOf(pattern: string): readonly Token[] {
  const tokens: Token[] = [];
  const characters = [...pattern];
  for (let at = 0; at < characters.length; at += 1) {
    const character = characters[at];
    if (character === "*") tokens.push({ kind: "many" });
    else if (character === "?") tokens.push({ kind: "one", accepts: () => true });
    else {
      // A "]" directly after the opening one belongs to the set.
      const close = character === "[" ? characters.indexOf("]", characters[at + 1] === "!" ? at + 3 : at + 2) : -1;
      if (close < 0) {
        tokens.push({ kind: "one", accepts: (other) => other === character });
        continue;
      }
      tokens.push({ kind: "one", accepts: setOf(characters.slice(at + 1, close)) });
      at = close;
    }
  }
  return tokens;
}

function setOf(body: readonly string[]): (character: string) => boolean {
  const negated = body[0] === "!";
  const members = negated ? body.slice(1) : body;
  const ranges: (readonly [string, string])[] = [];
  for (let at = 0; at < members.length; at += 1) {
    const from = members[at] ?? "";
    const isRange = members[at + 1] === "-" && at + 2 < members.length;
    ranges.push([from, isRange ? (members[at + 2] ?? "") : from]);
    if (isRange) at += 2;
  }
  return (character) => ranges.some(([from, to]) => from <= character && character <= to) !== negated;
}

/** Goes back only to the last "*": what an earlier one could take more of, that one can too. */
function matches(tokens: readonly Token[], text: readonly string[]): boolean {
  let token = 0;
  let at = 0;
  let star: { readonly token: number; at: number } | undefined;
  while (at < text.length) {
    const next = tokens[token];
    if (next?.kind === "many") {
      star = { token, at };
      token += 1;
    } else if (next?.accepts(text[at] ?? "")) {
      token += 1;
      at += 1;
    } else if (star !== undefined) {
      star.at += 1;
      at = star.at;
      token = star.token + 1;
    } else return false;
  }
  return tokens.slice(token).every(({ kind }) => kind === "many");
}
