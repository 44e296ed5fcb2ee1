import { maxLogError, maxLogFields, maxLogMessage } from "../../proto/log-limits.ts";
import type { LogLevel } from "../../proto/words/log-level.ts";
import type { LogEntry } from "./log-record.ts";

/** Limit of one text among the fields, if together they are too long. */
const maxFieldText = 1024;
/** Room for the mark that something was left out. */
const cutMark = '"cut":true';

/** From the highest down, in pino's numbering. */
const levels: readonly (readonly [least: number, level: LogLevel])[] = [
  [60, "fatal"],
  [50, "error"],
  [40, "warn"],
  [30, "info"],
  [20, "debug"],
];

/**
 * What a line that pino has written says, cut to what the controller takes. `base` names the fields that every line has
 * and that the controller knows anyway. What is not a line of pino's is a message as it is, at level info, at time 0.
 * Pure.
 */
export function parseLogLine(line: string, base: ReadonlySet<string> = new Set()): LogEntry {
  const parsed = parseObject(line);
  if (parsed === undefined) {
    return { time: 0, level: "info", message: line.trimEnd().slice(0, maxLogMessage), fieldsJson: "", error: "" };
  }
  const { level, time, msg, err, ...said } = parsed;
  const { stack, message, ...ofError } = isObject(err) ? err : { stack: err };
  const fields = Object.fromEntries(Object.entries(said).filter(([name]) => !base.has(name)));
  if (Object.keys(ofError).length > 0) fields["err"] = ofError;
  return {
    time: typeof time === "number" && Number.isFinite(time) ? time : 0,
    level: levelOf(level),
    message: textOf(msg).slice(0, maxLogMessage),
    fieldsJson: renderFields(fields),
    error: (textOf(stack) || textOf(message)).slice(0, maxLogError),
  };
}

function parseObject(line: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function textOf(value: unknown): string {
  return value === undefined || value === null ? "" : typeof value === "string" ? value : JSON.stringify(value);
}

function levelOf(number: unknown): LogLevel {
  if (typeof number !== "number") return "info";
  return levels.find(([least]) => number >= least)?.[1] ?? "trace";
}

/** The fields as JSON; where that is too long, long texts are cut and what then does not fit is left out. */
function renderFields(fields: Readonly<Record<string, unknown>>): string {
  const whole = JSON.stringify(fields);
  if (whole === "{}") return "";
  if (whole.length <= maxLogFields) return whole;
  const kept: string[] = [];
  let length = cutMark.length + 2;
  for (const [name, value] of Object.entries(fields)) {
    const short = typeof value === "string" ? value.slice(0, maxFieldText) : value;
    const text = `${JSON.stringify(name)}:${JSON.stringify(short)}`;
    if (length + text.length + 1 > maxLogFields) continue;
    kept.push(text);
    length += text.length + 1;
  }
  return `{${[...kept, cutMark].join(",")}}`;
}
