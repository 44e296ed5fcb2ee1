import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { describe, it } from "node:test";
import { pino } from "pino";
import { readInstalled } from "../../../../agent/registration/read-installed.ts";
import { Failure } from "../../../../proto/failure.ts";
import { parseStamp, renderStamp } from "../../../../proto/system/installed-system.ts";

const stamp = {
  imageName: "debian",
  imageDigest: "ab".repeat(32),
  reimageId: "r-1",
  installedAt: "2026-01-01T00:00:00.000Z",
};

const broken: { title: string; text: string; message: RegExp }[] = [
  { title: "an empty file", text: "", message: /not JSON/ },
  { title: "half a file", text: JSON.stringify(stamp).slice(0, 40), message: /not JSON/ },
  { title: "something else", text: "[]", message: /broken/ },
  { title: "no digest", text: JSON.stringify({ ...stamp, imageDigest: undefined }), message: /imageDigest/ },
  {
    title: "a digest in upper case",
    text: JSON.stringify({ ...stamp, imageDigest: "AB".repeat(32) }),
    message: /lower-case/,
  },
  { title: "no date", text: JSON.stringify({ ...stamp, installedAt: "yesterday" }), message: /installedAt/ },
  { title: "an empty name", text: JSON.stringify({ ...stamp, imageName: "" }), message: /imageName/ },
];

describe("the stamp of the installed system", () => {
  it("is read as it was written; what a newer agent added is ignored", () => {
    assert.deepEqual(parseStamp(JSON.stringify({ ...stamp, hostname: "pi" })), stamp);
  });

  it("is read again from the text that is written", () => {
    const installed = parseStamp(JSON.stringify(stamp));
    assert.deepEqual(parseStamp(renderStamp(installed)), installed);
    assert.ok(renderStamp(installed).endsWith("}\n"));
  });

  for (const { title, text, message } of broken) {
    it(`is refused when it is ${title}`, () => {
      assert.throws(
        () => parseStamp(text),
        (error) => error instanceof Failure && error.reason === "invalid" && message.test(error.message),
      );
    });
  }

  it("is left out, with a log line, when it is broken, and without one when there is none", async (test) => {
    const folder = await mkdtemp(path.join(os.tmpdir(), "pallet-stamp-"));
    test.after(() => rm(folder, { recursive: true }));
    const lines: string[] = [];
    const log = pino({}, { write: (line: string) => void lines.push(line) });
    const file = path.join(folder, "installed.json");
    assert.equal(await readInstalled(file, log), undefined);
    assert.equal(lines.length, 0);
    await writeFile(file, "{");
    assert.equal(await readInstalled(file, log), undefined);
    assert.match(lines.join(), /ignoring the stamp/);
    await writeFile(file, JSON.stringify(stamp));
    assert.deepEqual(await readInstalled(file, log), stamp);
  });
});
