import type { LogLevel } from "../../proto/words/log-level.ts";

/** The content of a log line. */
export interface LogEntry {
  /** When it was written by this node's clock: milliseconds since the epoch. */
  readonly time: number;
  readonly level: LogLevel;
  readonly message: string;
  /** Text of a JSON object; empty when nothing else was said. */
  readonly fieldsJson: string;
  /** Stack of an error with those of its causes; empty when it is about none. */
  readonly error: string;
}

/** One record of this agent's log on its way to the controller; see pallet.v1.LogRecord. */
export interface LogRecord extends LogEntry {
  /** Counts from 1. */
  readonly sequence: number;
  /** When it was written by the monotonic clock (performance.now), in milliseconds. */
  readonly writtenAtMs: number;
}
