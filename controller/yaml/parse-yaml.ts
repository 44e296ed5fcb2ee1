import { type ErrorCode, LineCounter, type Node, parseDocument } from "yaml";

/** One mistake in YAML brings others with it: so many are told. */
const mostMalformed = 10;
/** A thousand of these would take the library a GiB; settings nest three deep. */
const tooDeep = /(?:[-?:][ \t]+){64}/;

/** In place of the library's, which are for programmers, or quote what could be a secret. */
const ownWords: { readonly [code in ErrorCode]?: string } = {
  DUPLICATE_KEY: "a key appears twice; delete one",
  TAG_RESOLVE_FAILED: "what begins with ! is a tag to YAML; put a text that does into quotes",
  MULTIPLE_DOCS: "a second document begins here; put it into a file of its own",
  RESOURCE_EXHAUSTION: "it is nested too deep",
};

/** What the text has there: its place says enough. */
const quotedEnd = /: ".*$/s;

/** Where something stands in a text; both count from 1. */
export interface TextPlace {
  readonly line: number;
  readonly column: number;
}

/** What is wrong with a text as YAML; without a place it is the whole text. */
export interface YamlProblem {
  readonly place?: TextPlace;
  readonly problem: string;
}

/** A document of YAML, or why it is none. */
export interface YamlText {
  /** Absent where the text has no content, and where there are problems. */
  readonly contents?: Node;
  readonly problems: readonly YamlProblem[];
  /** Where an offset of a node's range is; undefined for undefined. */
  readonly placeOf: (offset: number | undefined) => TextPlace | undefined;
  /** The value of a node. */
  readonly toValue: (node: Node) => unknown;
}

/** Reads YAML 1.2, core schema. Whatever is wrong with it, keys that occur twice included, is a problem, at most eleven. */
export function parseYaml(text: string): YamlText {
  const lines = new LineCounter();
  const placeOf = (offset: number | undefined): TextPlace | undefined => {
    if (offset === undefined) return undefined;
    const { line, col } = lines.linePos(offset);
    return { line, column: col };
  };
  if (tooDeep.test(text))
    return {
      problems: [{ problem: 'it has "- " or "? " within each other 64 times: write lists as [a, b]' }],
      placeOf,
      toValue: () => undefined,
    };
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const malformed = [...document.errors, ...document.warnings];
  const problems: YamlProblem[] = malformed.slice(0, mostMalformed).map((error) => {
    const place = placeOf(error.pos[0]);
    const problem = ownWords[error.code] ?? error.message.replace(quotedEnd, "");
    return { ...(place && { place }), problem };
  });
  if (malformed.length > mostMalformed)
    problems.push({
      problem: `${malformed.length - mostMalformed} more of this kind: correct the first ones, and try again`,
    });
  return {
    ...(document.errors.length === 0 && document.contents !== null && { contents: document.contents }),
    problems,
    placeOf,
    toValue: (node) => node.toJS(document),
  };
}
