/** A line of examples in help: a command, and what it does. */
export interface Example {
  readonly command: string;
  readonly does: string;
}

/** A part of what help shows below the options: a heading, and rows of a term with what is said about it. */
export interface Passage {
  readonly heading: string;
  readonly examples: readonly Example[];
  readonly rows: readonly (readonly [term: string, about: string])[];
}

/** Reads the text below a command's help, as `examples` writes it. */
export function readAfter(after: string): readonly Passage[] {
  const lines = after.split("\n").filter((line) => line.trim() !== "");
  const starts = lines.flatMap((line, index) => (/^\S.*:$/.test(line) ? [index] : []));
  return starts.map((start, order) => {
    const own = lines.slice(start + 1, starts[order + 1]).map((line) => line.trim());
    const pairs = own.map((line) => {
      const gap = / {2,}/.exec(line);
      return gap === null
        ? ([line, ""] as const)
        : ([line.slice(0, gap.index), line.slice(gap.index + gap[0].length)] as const);
    });
    const isExample = ([term]: readonly [string, string]) => term.startsWith("$ ");
    return {
      heading: (lines[start] ?? "").slice(0, -1),
      examples: pairs.filter(isExample).map(([term, does]) => ({ command: term.slice(2), does })),
      rows: pairs.filter((pair) => !isExample(pair)),
    };
  });
}
