const codes = {
  bold: [1, 22],
  dim: [2, 22],
  red: [31, 39],
  green: [32, 39],
  yellow: [33, 39],
  cyan: [36, 39],
} as const;

/** A text style: the parts of ECMA-48 SGR that every terminal supports. */
export type Style = keyof typeof codes;

/** Applies a style to text, or leaves it alone if colours are off. */
export type Paint = (style: Style | undefined, text: string) => string;

/** The painter for an output with or without colours. */
export function createPaint(color: boolean): Paint {
  return (style, text) => {
    if (!color || style === undefined || text === "") return text;
    const [on, off] = codes[style];
    return `\u001b[${on}m${text}\u001b[${off}m`;
  };
}

/** What an output can display. */
export interface Look {
  readonly color: boolean;
  /** Whether it can display block characters, "…" and "·". */
  readonly unicode: boolean;
  /** Columns of the terminal; undefined if lines may have any length (a pipe). */
  readonly width?: number;
}

/**
 * What the output can display, from the environment: colours only on a terminal that is not "dumb", unless NO_COLOR is
 * set and not empty (https://no-color.org); characters beyond ASCII unless the locale's character set is not UTF-8, and
 * not on the Linux console, whose font lacks most of them.
 */
export function chooseLook(
  env: Readonly<Record<string, string | undefined>>,
  output: { readonly isTerminal: boolean; size(): { readonly columns: number } },
): Look {
  const locale = env["LC_ALL"] || env["LC_CTYPE"] || env["LANG"] || "";
  return {
    color: output.isTerminal && !env["NO_COLOR"] && env["TERM"] !== "dumb",
    unicode: (locale === "" || /utf-?8/i.test(locale)) && env["TERM"] !== "linux",
    ...(output.isTerminal && { width: output.size().columns }),
  };
}
