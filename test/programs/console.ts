/** What a serial console has printed, and what it is going to print. */
export interface Console {
  /** Everything since the board was made. */
  text(): string;
  /** The same for whoever looks for a cause: every line behind the time of day (UTC) at which it began to come in. */
  timed(): string;
  /** The last lines, each cut to what a person reads. */
  tail(lines: number): string;
  /** Position to give to `waitFor`, so that only what comes later counts. */
  mark(): number;
  /** Resolves with the first match; rejects with the last lines after the time (60 s unless told). */
  waitFor(pattern: RegExp, options?: { readonly from?: number; readonly timeoutMs?: number }): Promise<RegExpExecArray>;
}

/** A console and the place where its output comes in. */
export function createConsole(name: string): Console & { append(chunk: string): void } {
  let text = "";
  let timed = "";
  const waiting = new Set<() => void>();
  const tail = (lines: number) =>
    text
      .trimEnd()
      .split("\n")
      .slice(-lines)
      .map((line) => (line.length > 500 ? `${line.slice(0, 500)}…` : line))
      .join("\n");
  return {
    text: () => text,
    timed: () => timed,
    tail,
    mark: () => text.length,
    append(chunk) {
      const time = new Date().toISOString().slice(11, 23);
      const begun = timed === "" || timed.endsWith("\n") ? `${time} ` : "";
      timed += begun + chunk.replaceAll(/\n(?!$)/g, `\n${time} `);
      text += chunk;
      for (const check of waiting) check();
    },
    waitFor: (pattern, { from = 0, timeoutMs = 150_000 } = {}) =>
      new Promise((resolve, reject) => {
        const timer = setTimeout(() => {
          waiting.delete(check);
          reject(new Error(`${name} did not print ${pattern} within ${timeoutMs} ms; it printed last:\n${tail(20)}`));
        }, timeoutMs);
        const check = () => {
          const match = new RegExp(pattern.source, pattern.flags.replace("g", "")).exec(text.slice(from));
          if (match === null) return;
          clearTimeout(timer);
          waiting.delete(check);
          resolve(match);
        };
        waiting.add(check);
        check();
      }),
  };
}
