import type { Session } from "../registration/enrollment.ts";
import type { LogRecord } from "./log-record.ts";

/** Records of this agent's log, oldest first. */
export interface LogReport extends Session {
  readonly records: readonly LogRecord[];
  /** How many records were dropped so far. */
  readonly droppedCount: number;
  /** The moment of sending, by the clock that stamps records, in milliseconds. */
  readonly nowMs: number;
}

/**
 * The result of a report: taken; "unknown" if the agent has to register again; "refused" if it will never be accepted;
 * "unsupported" by a controller that does not accept logs.
 */
export type LogReportAnswer = "taken" | "unknown" | "refused" | "unsupported";

/** The controller, as the log sees it. */
export interface LogReceiver {
  /** Rejects when the controller is not reached. */
  reportLogs(report: LogReport, signal: AbortSignal): Promise<LogReportAnswer>;
}
