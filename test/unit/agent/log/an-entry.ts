import type { LogEntry } from "../../../../agent/log/log-record.ts";
import type { LogLevel } from "../../../../proto/words/log-level.ts";

/** An entry of the log with this message. */
export function anEntry(message = "m", level: LogLevel = "info"): LogEntry {
  return { time: 0, level, message, fieldsJson: "", error: "" };
}
