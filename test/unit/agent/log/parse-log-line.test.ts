import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { pino } from "pino";
import type { LogEntry } from "../../../../agent/log/log-record.ts";
import { parseLogLine } from "../../../../agent/log/parse-log-line.ts";

/** What pino writes. */
function lineOf(write: (log: pino.Logger) => void): string {
  let line = "";
  write(
    pino({ base: { role: "netboot", node: "b8:27:eb:00:00:01" }, level: "trace" }, { write: (text) => (line = text) }),
  );
  return line;
}

const base = new Set(["role", "node"]);

describe("parseLogLine", () => {
  const table: {
    title: string;
    line: string;
    expected: Omit<LogEntry, "time">;
  }[] = [
    {
      title: "a message",
      line: lineOf((log) => log.info("serving")),
      expected: { level: "info", message: "serving", fieldsJson: "", error: "" },
    },
    {
      title: "fields, also those of children, without what every line has",
      line: lineOf((log) => log.child({ operation: "o-1" }).warn({ port: 7710, spec: { kind: "wipe" } }, "started")),
      expected: {
        level: "warn",
        message: "started",
        fieldsJson: '{"operation":"o-1","port":7710,"spec":{"kind":"wipe"}}',
        error: "",
      },
    },
    {
      title: "an error without a stack",
      line: '{"level":50,"time":5,"err":{"type":"Error","message":"EIO","code":5},"msg":"no"}',
      expected: { level: "error", message: "no", fieldsJson: '{"err":{"type":"Error","code":5}}', error: "EIO" },
    },
    {
      title: "what was thrown and is no error",
      line: '{"level":60,"time":5,"err":"worn","msg":"no"}',
      expected: { level: "fatal", message: "no", fieldsJson: "", error: "worn" },
    },
    {
      title: "levels between and below pino's",
      line: '{"level":35,"time":5,"msg":"a"}',
      expected: { level: "info", message: "a", fieldsJson: "", error: "" },
    },
    {
      title: "no message at all",
      line: '{"level":10,"time":5}',
      expected: { level: "trace", message: "", fieldsJson: "", error: "" },
    },
    {
      title: "a line that is not pino's",
      line: "Segmentation fault\n",
      expected: { level: "info", message: "Segmentation fault", fieldsJson: "", error: "" },
    },
    {
      title: "JSON that is no object",
      line: "[1]",
      expected: { level: "info", message: "[1]", fieldsJson: "", error: "" },
    },
  ];
  for (const { title, line, expected } of table) {
    it(`reads ${title}`, () => {
      const { time: _, ...read } = parseLogLine(line, base);
      assert.deepEqual(read, expected);
    });
  }

  it("takes the time from the line", () => {
    const before = Date.now();
    const { time } = parseLogLine(lineOf((log) => log.info("now")));
    assert.ok(time >= before && time <= Date.now());
    assert.equal(parseLogLine('{"level":30,"time":"soon","msg":"a"}').time, 0);
  });

  it("gives the stack of an error with those of its causes", () => {
    const cause = Object.assign(new Error("EIO: i/o error"), { code: "EIO" });
    const { error, fieldsJson } = parseLogLine(
      lineOf((log) => log.error({ err: new Error("the card is worn", { cause }) }, "ended")),
      base,
    );
    assert.match(error, /^Error: the card is worn\n +at [\s\S]*caused by: Error: EIO: i\/o error\n +at /);
    assert.deepEqual(JSON.parse(fieldsJson), { err: { type: "Error" } });
  });

  it("cuts fields that are too long, and leaves out what then does not fit", () => {
    const { fieldsJson } = parseLogLine(
      lineOf((log) => log.info({ long: "x".repeat(9000), wide: Array(5000).fill(1), short: 1 }, "m")),
      base,
    );
    assert.deepEqual(JSON.parse(fieldsJson), { long: "x".repeat(1024), short: 1, cut: true });
  });

  it("stays within what the controller takes, whatever is logged", () => {
    const property = fc.property(
      fc.string({ maxLength: 6000 }),
      fc.dictionary(fc.string({ maxLength: 50 }), fc.string({ maxLength: 9000 }), { maxKeys: 20 }),
      fc.string({ maxLength: 20_000 }),
      (message, fields, stack) => {
        const line = JSON.stringify({ ...fields, level: 30, time: 1, msg: message, err: { stack } });
        const entry = parseLogLine(line);
        assert.ok(entry.message.length <= 4096);
        assert.ok(entry.fieldsJson.length <= 8192, `${entry.fieldsJson.length}`);
        assert.ok(entry.error.length <= 16_384);
        if (entry.fieldsJson !== "") assert.equal(typeof JSON.parse(entry.fieldsJson), "object");
      },
    );
    fc.assert(property, { numRuns: 50 });
  });
});
