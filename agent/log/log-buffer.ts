import type { LogEntry, LogRecord } from "./log-record.ts";

/** Limits on how much to hold or to take at once. */
export interface LogLimits {
  readonly records: number;
  /** Approximate bytes of memory. */
  readonly bytes: number;
}

/** Records that the controller does not have yet, oldest first, bounded: when it is full the oldest is dropped. */
export interface LogBuffer {
  append(entry: LogEntry, writtenAtMs: number): void;
  /** The oldest records, at least one if there is any, without taking them out. */
  batch(limits: LogLimits): readonly LogRecord[];
  /** These have arrived, including any that were dropped in transit. */
  release(records: readonly LogRecord[]): void;
  /** These will never be accepted: drops and counts them. */
  discard(records: readonly LogRecord[]): void;
  /** The number of records. */
  readonly size: number;
  /** The oldest record. */
  readonly oldest: LogRecord | undefined;
  /** Sequence number of the newest record ever appended; 0 before the first. */
  readonly lastSequence: number;
  /** How many records have been dropped so far. */
  readonly droppedCount: number;
}

/** What a record takes beside its texts. */
const recordBytes = 200;

/** Makes an empty one. */
export function createLogBuffer(limits: LogLimits): LogBuffer {
  const records: LogRecord[] = [];
  let bytes = 0;
  let lastSequence = 0;
  let droppedCount = 0;

  const removeThrough = (sequence: number): LogRecord[] => {
    const kept = records.findIndex((record) => record.sequence > sequence);
    const removed = records.splice(0, kept === -1 ? records.length : kept);
    bytes -= removed.reduce((sum, record) => sum + bytesOf(record), 0);
    return removed;
  };

  return {
    append(entry, writtenAtMs) {
      lastSequence += 1;
      const record = { ...entry, sequence: lastSequence, writtenAtMs };
      records.push(record);
      bytes += bytesOf(record);
      while (records.length > limits.records || (bytes > limits.bytes && records.length > 1)) {
        const oldest = records.shift();
        if (oldest === undefined) break;
        bytes -= bytesOf(oldest);
        droppedCount += 1;
      }
    },
    batch(most) {
      let taken = 0;
      const end = records.findIndex((record, index) => {
        taken += bytesOf(record);
        return index >= most.records || (index > 0 && taken > most.bytes);
      });
      return records.slice(0, end === -1 ? undefined : end);
    },
    release(arrived) {
      const removed = removeThrough(arrived.at(-1)?.sequence ?? 0);
      droppedCount -= arrived.length - removed.length;
    },
    discard(refused) {
      droppedCount += removeThrough(refused.at(-1)?.sequence ?? 0).length;
    },
    get size() {
      return records.length;
    },
    get oldest() {
      return records[0];
    },
    get lastSequence() {
      return lastSequence;
    },
    get droppedCount() {
      return droppedCount;
    },
  };
}

function bytesOf({ message, fieldsJson, error }: LogEntry): number {
  return recordBytes + message.length + fieldsJson.length + error.length;
}
