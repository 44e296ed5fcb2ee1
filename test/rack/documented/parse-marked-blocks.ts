/** A fenced code block of a Markdown page (CommonMark 0.31, section 4.5) that a test runs as it is printed. */
export interface MarkedBlock {
  readonly name: string;
  /** The info string's first word: "sh", "yaml". */
  readonly language: string;
  readonly text: string;
  /** Line of the marker, from 1. */
  readonly line: number;
}

/** A fenced block that no test runs, with the reason that the page gives for it, if any. */
export interface UntestedBlock extends Omit<MarkedBlock, "name"> {
  readonly reason: string | undefined;
}

/** The code blocks of a page, those that a test runs apart from the others. */
export interface PageBlocks {
  readonly marked: readonly MarkedBlock[];
  readonly untested: readonly UntestedBlock[];
}

const marker = /^<!-- (tested|not tested): (.+) -->$/;
const fence = /^ {0,3}(`{3,}|~{3,})\s*(\S*)/;

/**
 * Finds the code blocks of a Markdown page. The line before a fence, an HTML comment that readers do not see, says
 * which test runs the block: `<!-- tested: NAME -->`, or why none does: `<!-- not tested: REASON -->`.
 *
 * Throws an Error that names page and line when a marker stands before no fence, a name is given twice, or a fence is
 * not closed.
 */
export function parseMarkedBlocks(page: string, markdown: string): PageBlocks {
  const lines = markdown.split("\n");
  const marked: MarkedBlock[] = [];
  const untested: UntestedBlock[] = [];
  for (let index = 0; index < lines.length; index++) {
    const [, kind, words] = marker.exec(lines[index] ?? "") ?? [];
    const start = kind === undefined ? index : index + 1;
    const [, ticks, language = ""] = fence.exec(lines[start] ?? "") ?? [];
    if (ticks === undefined) {
      if (kind !== undefined) throw new Error(`${page}:${index + 1}: no code block follows this marker`);
      continue;
    }
    const length = lines.slice(start + 1).findIndex((line) => line.trim() === ticks);
    if (length < 0) throw new Error(`${page}:${start + 1}: this code block is not closed`);
    const text = lines.slice(start + 1, start + 1 + length).map((line) => `${line}\n`);
    const block = { language, text: text.join(""), line: index + 1 };
    if (kind === "tested" && words !== undefined) {
      if (marked.some(({ name }) => name === words))
        throw new Error(`${page}:${index + 1}: another block is called "${words}" too`);
      marked.push({ ...block, name: words });
    } else {
      untested.push({ ...block, reason: words });
    }
    index = start + length + 1;
  }
  return { marked, untested };
}
