import type { LogRecord as WireRecord } from "../../proto/gen/pallet/v1/log.ts";
import { logLevelToWire } from "../../proto/words/log-level.ts";
import type { LogRecord } from "../log/log-record.ts";

/** A record as it travels. `nowMs` is the moment of sending by the clock that stamps records. */
export function logRecordToWire(record: LogRecord, nowMs: number): WireRecord {
  const ageMs = Math.max(0, Math.round(nowMs - record.writtenAtMs));
  return {
    sequence: BigInt(record.sequence),
    time: new Date(record.time),
    age: { seconds: BigInt(Math.floor(ageMs / 1000)), nanos: (ageMs % 1000) * 1_000_000 },
    level: logLevelToWire(record.level),
    message: record.message,
    fieldsJson: record.fieldsJson,
    error: record.error,
  };
}
