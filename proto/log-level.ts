import { LogLevel as WireLevel } from "./gen/pallet/v1/log.ts";

/** The levels of a log, least first. */
export const logLevels = ["trace", "debug", "info", "warn", "error", "fatal"] as const;

/** How much a record of a log matters; one for each value of pallet.v1.LogLevel. */
export type LogLevel = (typeof logLevels)[number];

const wireLevels = {
  trace: WireLevel.LOG_LEVEL_TRACE,
  debug: WireLevel.LOG_LEVEL_DEBUG,
  info: WireLevel.LOG_LEVEL_INFO,
  warn: WireLevel.LOG_LEVEL_WARN,
  error: WireLevel.LOG_LEVEL_ERROR,
  fatal: WireLevel.LOG_LEVEL_FATAL,
} as const satisfies Record<LogLevel, WireLevel>;

/** A level as it travels. */
export function logLevelToWire(level: LogLevel): WireLevel {
  return wireLevels[level];
}

/** A level that travelled; undefined for one that does not exist, or none. */
export function logLevelFromWire(wire: WireLevel | undefined): LogLevel | undefined {
  return logLevels.find((level) => wireLevels[level] === wire);
}
