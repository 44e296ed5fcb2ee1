// Text as lines of roff for man(7): what groff and mandoc both read.

/** Characters that roff reads otherwise than they look, or that a terminal shows as others: groff_char(7). */
const escapes: Readonly<Record<string, string>> = {
  "\\": "\\e",
  "'": "\\(aq",
  "`": "\\(ga",
  "^": "\\(ha",
  "~": "\\(ti",
  '"': "\\(dq",
  // A bare one is a hyphen, which may become U+2010: nobody could copy an option, or find it.
  "-": "\\-",
};

/** The longest line of roff, in bytes, unless a word is longer: `mandoc -Tlint -W style` asks for it. */
const lineWidth = 79;

/**
 * Text as it stands, wherever it stands: also at the beginning of a line, where "." and "'" would begin a request, and
 * in an argument of a macro.
 */
export function escapeRoff(text: string): string {
  const escaped = text
    .replace(/\s+/g, " ")
    // biome-ignore lint/suspicious/noControlCharactersInRegex: what is no character of a page is left out
    .replace(/[\0-\x1f\x7f]/g, "")
    .replace(/[\\'`^~"-]/g, (character) => escapes[character] ?? character)
    .replace(/[^\0-\x7f]/gu, (character) => `\\[u${hexadecimal(character)}]`);
  return escaped.startsWith(".") ? `\\&${escaped}` : escaped;
}

function hexadecimal(character: string): string {
  return (character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, "0");
}

/** Literal text: what is typed as it stands. */
export function bold(text: string): string {
  return `\\fB${escapeRoff(text)}\\fR`;
}

/** What stands for something else. */
export function italic(text: string): string {
  return `\\fI${escapeRoff(text)}\\fR`;
}

/** A macro with arguments; each is one, whatever is in it. */
export function macro(name: string, ...args: readonly string[]): string {
  return [`.${name}`, ...args.map((text) => (/^[^\s"]+$/.test(text) ? text : `"${text}"`))].join(" ");
}

/** Prose as lines, with the commands and options that it names in bold. */
export function renderProse(text: string): readonly string[] {
  return wrap(markProse(text));
}

/** Paragraphs, which empty lines separate. */
export function renderParagraphs(text: string): readonly string[] {
  return text
    .split(/\n{2,}/)
    .filter((paragraph) => paragraph.trim() !== "")
    .flatMap((paragraph, index) => [...(index === 0 ? [] : [".PP"]), ...renderProse(paragraph)]);
}

/** A command in quotes or backquotes, or an option. */
const literal =
  /"(?<quoted>controller [^"\n]+)"|`(?<ticked>[^`\n]+)`|(?<![\w/-])(?<option>--[a-z][\w-]*|-[a-zA-Z](?![\w-]))/g;

function markProse(text: string): string {
  let marked = "";
  let end = 0;
  for (const match of text.matchAll(literal)) {
    const { quoted, ticked, option } = match.groups ?? {};
    marked += within(text.slice(end, match.index)) + bold(quoted ?? ticked ?? option ?? "");
    end = match.index + match[0].length;
  }
  return marked + within(text.slice(end));
}

/** Escapes text that does not begin a line: `wrap` guards the beginnings. */
function within(text: string): string {
  return escapeRoff(text).replace(/^\\&/, "");
}

/** Lines of text that is escaped already, each sentence on its own. */
export function wrap(text: string): readonly string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ").filter((each) => each !== "")) {
    if (line !== "" && line.length + 1 + word.length > lineWidth) {
      lines.push(line);
      line = "";
    }
    line = line === "" ? word : `${line} ${word}`;
    // Formatters put two spaces, or one, after a sentence only where it ends its line.
    if (/[.?!](?:\\fR)?$/.test(word) && !/\b(?:e\.g|i\.e)\.$/.test(word)) {
      lines.push(line);
      line = "";
    }
  }
  if (line !== "") lines.push(line);
  return lines.map((each) => (each.startsWith(".") ? `\\&${each}` : each));
}

/** A usage such as "[options] [NODE...] agent|local": literal words in bold, what stands for others in italics. */
export function renderUsage(usage: string): string {
  const parts = usage.match(/<[^>]+>|[^\s<>[\]|]+|./g) ?? [];
  return parts
    .map((part) => {
      const bare = part.replace(/^<|>$/g, "");
      const name = bare.replace(/\.\.\.$/, "");
      const rest = escapeRoff(bare.slice(name.length)).replace(/^\\&/, "");
      if (part.startsWith("<") || isPlaceholder(name, usage)) return `${italic(name)}${rest}`;
      return /^[a-z]/.test(name) ? `${bold(name)}${rest}` : escapeRoff(part).replace(/^\\&/, "");
    })
    .join("");
}

/** In brackets commander writes placeholders as they are; in a usage of our own they are in capitals. */
function isPlaceholder(name: string, usage: string): boolean {
  return /^[A-Z]/.test(name) || usage.includes(`[${name}]`) || usage.includes(`[${name}...]`);
}
