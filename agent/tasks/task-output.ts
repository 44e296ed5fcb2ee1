import { StringDecoder } from "node:string_decoder";
import { stripVTControlCharacters } from "node:util";
import { cutText } from "../../proto/cut-text.ts";
import { limits } from "../../proto/limits.ts";

/** What a task writes, on its way to the node's journal. */
export interface TaskOutput {
  push(chunk: Buffer): void;
  /** Whatever has no end of line yet is a line. */
  end(): void;
  /** The last lines, without the secrets of the task. */
  lastLines(): string;
}

/** Longest secret's line that is too short to be told from other words. */
const shortest = 4;
/** Characters of a line that is given out before its end has come. */
const longestWait = 64 * 1024;

/**
 * Splits what a task writes into lines and prints them: those of a progress bar one by one, without control characters,
 * its secrets hidden, at most `journalCharacters` in all.
 */
export function createTaskOutput(secrets: readonly string[], print: (line: string) => void): TaskOutput {
  const decoder = new StringDecoder("utf8");
  const hide = createHider(secrets);
  const last: string[] = [];
  let rest = "";
  let left: number = limits.tasks.journalCharacters.most;

  function take(raw: string): void {
    const line = cutText(hide(withoutControls(raw)).trimEnd(), limits.tasks.lineCharacters.most);
    if (line === "") return;
    last.push(line);
    if (last.length > limits.tasks.outputLines.most) last.shift();
    if (left <= 0) return;
    left -= line.length + 1;
    print(left > 0 ? line : "what it writes from here on is left out");
  }

  function split(text: string): void {
    const lines = `${rest}${text}`.split(/\r\n|\n|\r/);
    rest = lines.pop() ?? "";
    for (const line of lines) take(line);
    if (rest.length <= longestWait) return;
    take(rest);
    rest = "";
  }

  return {
    push: (chunk) => split(decoder.write(chunk)),
    end() {
      split(decoder.end());
      take(rest);
      rest = "";
    },
    lastLines: () => fitting(last),
  };
}

/** As many of the last lines as there is room for. */
function fitting(lines: readonly string[]): string {
  const fit: string[] = [];
  let left: number = limits.tasks.outputCharacters.most;
  for (const line of [...lines].reverse()) {
    left -= line.length + 1;
    if (left < 0) break;
    fit.unshift(line);
  }
  return fit.join("\n");
}

/** Text without what secrets hold, line by line; longer ones first, which may contain shorter ones. */
function createHider(secrets: readonly string[]): (text: string) => string {
  const parts = secrets.flatMap((secret) => secret.split(/[\r\n]+/)).map((line) => line.trim());
  const hidden = [...new Set(parts)].filter((part) => part.length >= shortest).sort((a, b) => b.length - a.length);
  return (text) => hidden.reduce((sofar, part) => sofar.replaceAll(part, "[secret]"), text);
}

/** A terminal that shows it later must not obey it. */
function withoutControls(text: string): string {
  return stripVTControlCharacters(text).replace(/[^\P{Cc}\t]/gu, "");
}
