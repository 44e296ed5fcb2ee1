import { LogLevel as WireLevel } from "../gen/pallet/v1/log.ts";
import { wireWords } from "./wire-words.ts";

/** The levels of a log, least first. */
export const logLevels = ["trace", "debug", "info", "warn", "error", "fatal"] as const;

/** Severity of a log record; one for each value of pallet.v1.LogLevel. */
export type LogLevel = (typeof logLevels)[number];

const wireLogLevels = wireWords<LogLevel, WireLevel>({
  trace: WireLevel.LOG_LEVEL_TRACE,
  debug: WireLevel.LOG_LEVEL_DEBUG,
  info: WireLevel.LOG_LEVEL_INFO,
  warn: WireLevel.LOG_LEVEL_WARN,
  error: WireLevel.LOG_LEVEL_ERROR,
  fatal: WireLevel.LOG_LEVEL_FATAL,
});

/** Converts a level to the wire. */
export const logLevelToWire = wireLogLevels.toWire;

/** Converts a level from the wire; undefined if unspecified or unknown. */
export function logLevelFromWire(wire: WireLevel | undefined): LogLevel | undefined {
  return wire === undefined ? undefined : wireLogLevels.fromWire(wire);
}
