const codes = {
  bold: [1, 22],
  dim: [2, 22],
  red: [31, 39],
  green: [32, 39],
  yellow: [33, 39],
  cyan: [36, 39],
} as const;

/** A way to set text off; ECMA-48 SGR, the parts that every terminal has. */
export type Style = keyof typeof codes;

/** Puts text into a style, or leaves it alone where colours are not wanted. */
export type Paint = (style: Style | undefined, text: string) => string;

/** The painter for an output with or without colours. */
export function createPaint(color: boolean): Paint {
  return (style, text) => {
    if (!color || style === undefined || text === "") return text;
    const [on, off] = codes[style];
    return `\u001b[${on}m${text}\u001b[${off}m`;
  };
}

/** What an output can show. */
export interface Look {
  readonly color: boolean;
  /** Whether block characters, "…" and "·" can be shown. */
  readonly unicode: boolean;
  /** Columns of the terminal; undefined where lines may be as long as they are (a pipe). */
  readonly width?: number;
}

/**
 * What the output can show, from the environment: colours only on a terminal that is not "dumb" and unless NO_COLOR is
 * set to something (https://no-color.org); characters beyond ASCII unless a locale is set whose character set is not
 * UTF-8, and not on the console of Linux, whose font lacks most of them.
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
