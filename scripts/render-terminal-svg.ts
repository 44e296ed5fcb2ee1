/** How a terminal shows text: the SGR codes (ECMA-48, 8.3.117) that the command line uses. */
interface TextStyle {
  readonly bold: boolean;
  readonly dim: boolean;
  readonly color: string;
}

/** Characters of one style, one after the other. */
interface TextRun extends TextStyle {
  readonly column: number;
  readonly text: string;
}

const foreground = "#d6deeb";
const background = "#0f1720";
const colors: Readonly<Record<number, string>> = { 31: "#ff7b72", 32: "#56d364", 33: "#e3b341", 36: "#56c8d8" };
const plain: TextStyle = { bold: false, dim: false, color: foreground };

/** A cell of the terminal, and the margin around all of them, in SVG units. */
const cell = { width: 8.4, height: 18, baseline: 13.5 };
const margin = 18;

/** The eighths of a cell that a block character fills from the left (Unicode: Block Elements). */
const eighths = new Map([..."▏▎▍▌▋▊▉█"].map((character, index) => [character, index + 1]));
const shade = "░";

/**
 * Draws what a terminal shows as an SVG picture. Block characters become rectangles, and every other run of text has a
 * fixed length, so that the columns align whatever font the reader has.
 *
 * Throws an Error for an escape sequence that it does not know.
 *
 * @param screen lines with SGR sequences
 * @param title what the picture shows, for readers who do not see it
 */
export function renderTerminalSvg(screen: string, title: string): string {
  const rows = screen.trimEnd().split("\n").map(parseRuns);
  const columns = Math.max(...rows.flat().map(({ column, text }) => column + [...text].length));
  const width = round(columns * cell.width + 2 * margin);
  const height = rows.length * cell.height + 2 * margin;
  const drawn = rows.flatMap((row, index) => row.flatMap((run) => drawRun(run, margin + index * cell.height)));
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img">`,
    `<title>${escaped(title)}</title>`,
    `<rect width="100%" height="100%" rx="8" fill="${background}"/>`,
    `<g font-family="ui-monospace, 'DejaVu Sans Mono', Menlo, Consolas, monospace" font-size="14" xml:space="preserve">`,
    ...drawn,
    "</g>",
    "</svg>",
    "",
  ].join("\n");
}

function parseRuns(line: string): readonly TextRun[] {
  const runs: TextRun[] = [];
  let style = plain;
  let column = 0;
  // biome-ignore lint/suspicious/noControlCharactersInRegex: escape sequences begin with one.
  for (const part of line.split(/(\u001b\[[\d;]*m)/)) {
    // biome-ignore lint/suspicious/noControlCharactersInRegex: as above.
    const code = /^\u001b\[(\d+)m$/.exec(part)?.[1];
    if (code !== undefined) style = applied(style, Number(code));
    else if (part.includes("\u001b")) throw new Error(`cannot draw this escape sequence: ${JSON.stringify(part)}`);
    else if (part !== "") runs.push({ ...style, column, text: part });
    if (code === undefined) column += [...part].length;
  }
  return runs;
}

function applied(style: TextStyle, code: number): TextStyle {
  if (code === 0) return plain;
  if (code === 1) return { ...style, bold: true };
  if (code === 2) return { ...style, dim: true };
  if (code === 22) return { ...style, bold: false, dim: false };
  const color = code === 39 ? foreground : colors[code];
  if (color === undefined) throw new Error(`cannot draw SGR code ${code}`);
  return { ...style, color };
}

function drawRun(run: TextRun, top: number): readonly string[] {
  const pieces = run.text.match(/█+[▏▎▍▌▋▊▉]?|[▏▎▍▌▋▊▉]|░+| {2,}|(?:(?! {2})[^▏▎▍▌▋▊▉█░])+/g) ?? [];
  let column = run.column;
  return pieces.flatMap((piece) => {
    const at = column;
    const length = [...piece].length;
    column += length;
    if (piece.trim() === "") return [];
    const left = round(margin + at * cell.width);
    const isShade = piece.startsWith(shade);
    if (!isShade && !eighths.has([...piece][0] ?? "")) return [drawText(run, piece, left, top)];
    const filled = isShade ? length * 8 : [...piece].reduce((sum, character) => sum + (eighths.get(character) ?? 0), 0);
    const opacity = isShade ? ' opacity="0.18"' : "";
    const size = `width="${round((filled / 8) * cell.width)}" height="${cell.height - 6}"`;
    return [`<rect x="${left}" y="${round(top + 3)}" ${size} fill="${run.color}"${opacity}/>`];
  });
}

function drawText(style: TextStyle, text: string, left: number, top: number): string {
  const length = round([...text.trimEnd()].length * cell.width);
  const attributes = `${style.bold ? ' font-weight="bold"' : ""}${style.dim ? ' opacity="0.6"' : ""}`;
  const place = `x="${left}" y="${round(top + cell.baseline)}" textLength="${length}" lengthAdjust="spacingAndGlyphs"`;
  return `<text ${place} fill="${style.color}"${attributes}>${escaped(text.trimEnd())}</text>`;
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}

function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
