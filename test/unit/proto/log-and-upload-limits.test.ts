// What the agent cuts, the controller takes whole; what the command line sends, the controller lets in.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { parseLogLine } from "../../../agent/log/parse-log-line.ts";
import { uploadMessages } from "../../../controller/cli/connection/upload-source.ts";
import { fileOf, type UploadMessage } from "../../../controller/rpc/doors/upload.ts";
import { logReportFromWire } from "../../../controller/rpc/wire/log-report-from-wire.ts";
import { Failure } from "../../../proto/failure.ts";
import { ReportLogsRequest } from "../../../proto/gen/pallet/v1/enrollment.ts";
import { LogLevel } from "../../../proto/gen/pallet/v1/log.ts";
import { maxLogError, maxLogFields, maxLogMessage } from "../../../proto/log-limits.ts";
import { maxUploadChunkBytes } from "../../../proto/upload-limits.ts";

async function chunksOf(messages: AsyncIterator<UploadMessage<object>>, fileBytes: number) {
  const claim = () => Promise.reject(new Error("no connection was named"));
  return (await fileOf(messages, { upload: undefined, fileBytes }, "AddImage", claim)).source;
}

describe("limits of logs and uploads", () => {
  it("let the controller take whatever the agent cuts to, whole", () => {
    const long = "x".repeat(100_000);
    const entry = parseLogLine(JSON.stringify({ level: 30, time: 1, msg: long, text: long, err: { stack: long } }));
    assert.deepEqual([entry.message.length, entry.error.length], [maxLogMessage, maxLogError]);
    assert.ok(entry.fieldsJson.length <= maxLogFields);
    const exact = { a: "y".repeat(maxLogFields - '{"a":""}'.length) };
    const fullest = parseLogLine(JSON.stringify({ level: 30, time: 1, msg: "m", ...exact }));
    assert.equal(fullest.fieldsJson.length, maxLogFields);
    const records = [entry, fullest].map(({ message, fieldsJson, error }, index) => ({
      sequence: BigInt(index + 1),
      time: new Date(1),
      level: LogLevel.LOG_LEVEL_INFO,
      message,
      fieldsJson,
      error,
    }));
    const report = logReportFromWire(ReportLogsRequest.fromPartial({ bootMac: "b8:27:eb:00:00:01", records }));
    assert.deepEqual(
      report.records.map(({ message, fields, error }) => [message, fields ?? "", error ?? ""]),
      records.map(({ message, fieldsJson, error }) => [message, fieldsJson, error]),
    );
  });

  it("let the controller take every message of an upload", async () => {
    const bytes = [Buffer.alloc(3 * maxUploadChunkBytes + 1), Buffer.alloc(maxUploadChunkBytes)];
    const fileBytes = 4 * maxUploadChunkBytes + 1;
    const pieces = async function* () {
      yield* bytes;
    };
    const messages = uploadMessages({}, { bytes: pieces(), fileBytes, close: async () => {} }, undefined);
    await messages.next();
    const lengths: number[] = [];
    for await (const chunk of await chunksOf(messages, fileBytes)) lengths.push(chunk.length);
    assert.equal(Math.max(...lengths), maxUploadChunkBytes);
    assert.equal(
      lengths.reduce((sum, length) => sum + length, 0),
      fileBytes,
    );
    const endless = async function* () {
      for (;;) yield { part: { $case: "chunk" as const, value: Buffer.alloc(1000) } };
    };
    await assert.rejects(async () => {
      for await (const _ of await chunksOf(endless(), 5000));
    }, /announced with 5000 bytes, and more arrives/);
    const oversized = async function* () {
      yield { part: { $case: "chunk" as const, value: Buffer.alloc(maxUploadChunkBytes + 1) } };
    };
    await assert.rejects(async () => {
      for await (const _ of await chunksOf(oversized(), 0));
    }, Failure);
  });
});
