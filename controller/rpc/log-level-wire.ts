import { LogLevel as WireLevel } from "../../proto/gen/pallet/v1/log.ts";
import type { LogLevel } from "../config/config.ts";

const levels = {
  trace: WireLevel.LOG_LEVEL_TRACE,
  debug: WireLevel.LOG_LEVEL_DEBUG,
  info: WireLevel.LOG_LEVEL_INFO,
  warn: WireLevel.LOG_LEVEL_WARN,
  error: WireLevel.LOG_LEVEL_ERROR,
  fatal: WireLevel.LOG_LEVEL_FATAL,
} as const satisfies Record<LogLevel, WireLevel>;

/** A level as it travels. */
export function logLevelToWire(level: LogLevel): WireLevel {
  return levels[level];
}

/** A level that travelled; undefined for one that does not exist, or none. */
export function logLevelFromWire(wire: WireLevel): LogLevel | undefined {
  const known = Object.entries(levels).find(([, value]) => value === wire);
  return known?.[0] as LogLevel | undefined;
}
