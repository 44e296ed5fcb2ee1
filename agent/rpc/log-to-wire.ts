import { LogLevel as WireLevel, type LogRecord as WireRecord } from "../../proto/gen/pallet/v1/log.ts";
import type { LogLevel, LogRecord } from "../log/log-record.ts";

const levels = {
  trace: WireLevel.LOG_LEVEL_TRACE,
  debug: WireLevel.LOG_LEVEL_DEBUG,
  info: WireLevel.LOG_LEVEL_INFO,
  warn: WireLevel.LOG_LEVEL_WARN,
  error: WireLevel.LOG_LEVEL_ERROR,
  fatal: WireLevel.LOG_LEVEL_FATAL,
} as const satisfies Record<LogLevel, WireLevel>;

/** A record as it travels. `nowMs` is the moment of sending by the clock that stamps records. */
export function logRecordToWire(record: LogRecord, nowMs: number): WireRecord {
  const ageMs = Math.max(0, Math.round(nowMs - record.writtenAtMs));
  return {
    sequence: BigInt(record.sequence),
    time: new Date(record.time),
    age: { seconds: BigInt(Math.floor(ageMs / 1000)), nanos: (ageMs % 1000) * 1_000_000 },
    level: levels[record.level],
    message: record.message,
    fieldsJson: record.fieldsJson,
    error: record.error,
  };
}
