import { countFromWire } from "../../../proto/count.ts";
import { durationFromWire } from "../../../proto/duration.ts";
import type { ReportLogsRequest } from "../../../proto/gen/pallet/v1/enrollment.ts";
import type { LogRecord as WireRecord } from "../../../proto/gen/pallet/v1/log.ts";
import { limits } from "../../../proto/limits.ts";
import { maxLogError, maxLogFields, maxLogMessage, maxLogRecords, maxLogText } from "../../../proto/log-limits.ts";
import { logLevelFromWire } from "../../../proto/words/log-level.ts";
import type { LogCost } from "../../logs/log-quota.ts";
import type { LogReport, ReportedRecord } from "../../logs/node-log-record.ts";
import { invalid } from "../../refusal/refusal.ts";
import { bootMacFromWire } from "./registration-from-wire.ts";
import { plainJsonObject, plainLines, plainText } from "./text-from-wire.ts";

/** No agent keeps records longer. */
const maxAgeMs = 365 * 24 * 3_600_000;

/** Whose log a batch is of, and what it costs to take: cheap to tell. Throws a Failure naming what is wrong with it. */
export function logBatchFromWire({
  bootMac,
  instanceId,
  records,
}: ReportLogsRequest): Pick<LogReport, "id" | "instanceId"> & { readonly cost: LogCost } {
  return {
    id: bootMacFromWire(bootMac),
    instanceId: plainText(instanceId, limits.facts.wordCharacters.most),
    cost: { records: records.length, characters: textLengthOf(records) },
  };
}

/** A batch of an agent's log, checked, without control characters. Throws a Failure naming what is wrong with it. */
export function logReportFromWire(request: ReportLogsRequest): LogReport {
  const { id, instanceId, cost } = logBatchFromWire(request);
  const { records } = request;
  if (records.length > maxLogRecords) {
    throw invalid(`the batch has ${records.length} records; send at most ${maxLogRecords} at once`);
  }
  if (cost.characters > maxLogText) {
    throw invalid(`the batch has ${cost.characters} characters of text; send at most ${maxLogText} at once`);
  }
  const checked: ReportedRecord[] = [];
  for (const [index, record] of records.entries()) {
    checked.push(recordFromWire(`records[${index}]`, record, checked.at(-1)?.sequence ?? 0));
  }
  return { id, instanceId, records: checked, droppedCount: countFromWire(request.droppedCount) };
}

function textLengthOf(records: readonly WireRecord[]): number {
  return records.reduce(
    (sum, { message, fieldsJson, error }) => sum + message.length + fieldsJson.length + error.length,
    0,
  );
}

function recordFromWire(field: string, record: WireRecord, sequenceBefore: number): ReportedRecord {
  const sequence = countFromWire(record.sequence);
  if (sequence <= sequenceBefore) {
    throw invalid(`${field}.sequence is ${record.sequence}; give one above the previous one, ${sequenceBefore}`);
  }
  const nodeTime = record.time?.getTime() ?? Number.NaN;
  if (Number.isNaN(nodeTime)) throw invalid(`${field}.time is missing or not a valid time`);
  const level = logLevelFromWire(record.level);
  if (level === undefined) throw invalid(`${field}.level is ${record.level}; give a value of LogLevel`);
  const fields = fieldsFromWire(field, record.fieldsJson);
  const error = plainLines(record.error, maxLogError);
  return {
    sequence,
    nodeTime,
    ageMs: ageFromWire(record.age),
    level,
    message: plainText(record.message, maxLogMessage),
    ...(fields !== undefined && { fields }),
    ...(error !== "" && { error }),
  };
}

function fieldsFromWire(field: string, text: string): string | undefined {
  if (text === "") return undefined;
  if (text.length > maxLogFields) {
    throw invalid(`${field}.fields_json has ${text.length} characters; give at most ${maxLogFields}`);
  }
  const fields = plainJsonObject(text);
  if (fields === undefined) throw invalid(`${field}.fields_json is not a JSON object`);
  return fields === "{}" ? undefined : fields;
}

function ageFromWire(age: WireRecord["age"]): number {
  const ageMs = age === undefined ? 0 : Math.round(durationFromWire(age));
  return Math.min(Math.max(ageMs, 0), maxAgeMs);
}
