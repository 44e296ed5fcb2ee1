/** What a Markdown page refers to: a link's target, or a path that it names in a code span. */
export interface PageReference {
  readonly kind: "link" | "path" | "script";
  /** As it is printed: "../README.md#doors", "controller/boot/plan-boot.ts", "test:one". */
  readonly target: string;
  /** From 1. */
  readonly line: number;
}

const inlineLink = /!?\[[^\]]*\]\(([^)\s]+)\)/g;
const linkDefinition = /^\[[^\]]+\]: (\S+)$/;
const codeSpan = /(?<!`)`([^`]+)`(?!`)/g;
const npmScript = /\bnpm (?:run )?((?<=run )[\w:]+|test\b)/g;
/** Of this tree: from one of its folders, or a file with an ending that it has. */
const treePath =
  /^(?:\.\/|\.\.\/)*(?:(?:agent|controller|proto|scripts|test|\.github|\.ci|\.githooks)(?:\/[\w.{},*-]+)*\/?|[\w.{},*/-]+\.(?:ts|md|proto|svg|help))$/;

/**
 * Finds the links of a Markdown page to other pages and files, the paths of this tree that its code spans name, and the
 * npm scripts that it tells readers to run. Addresses elsewhere ("https:") are left out.
 */
export function parsePageReferences(markdown: string): readonly PageReference[] {
  const references: PageReference[] = [];
  let isCode = false;
  for (const [index, text] of markdown.split("\n").entries()) {
    const add = (kind: PageReference["kind"], target: string) => references.push({ kind, target, line: index + 1 });
    for (const [, name = ""] of text.matchAll(npmScript)) add("script", name);
    if (/^ {0,3}(```|~~~)/.test(text)) isCode = !isCode;
    if (isCode) continue;
    for (const [, span = ""] of text.matchAll(codeSpan)) if (treePath.test(span)) add("path", span);
    const prose = text.replaceAll(codeSpan, "");
    const targets = [...text.matchAll(inlineLink), linkDefinition.exec(prose)].map((match) => match?.[1]);
    for (const target of targets) if (target !== undefined && !/^[a-z]+:/.test(target)) add("link", target);
  }
  return references;
}

/**
 * The anchors that GitHub gives to the headings of a Markdown page: lower case, without punctuation, spaces as hyphens;
 * a heading that occurs again gets a number.
 */
export function parseAnchors(markdown: string): ReadonlySet<string> {
  const anchors = new Set<string>();
  const prose = markdown.replaceAll(/^(```|~~~)[\s\S]*?^\1/gm, "");
  for (const [, heading = ""] of prose.matchAll(/^#{1,6} (.+)$/gm)) {
    const slug = heading
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}\s_-]/gu, "")
      .replaceAll(" ", "-");
    let anchor = slug;
    for (let count = 1; anchors.has(anchor); count++) anchor = `${slug}-${count}`;
    anchors.add(anchor);
  }
  return anchors;
}
