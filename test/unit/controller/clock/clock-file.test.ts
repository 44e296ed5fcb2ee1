import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { describe, it } from "node:test";
import { openClockFile } from "../../../../controller/clock/clock-file.ts";

describe("the file of the noted time", () => {
  for (const [noted, read, line] of [
    [1_796_076_822_000, 1_796_076_822_000, "2026-11-30T22:13:42Z"],
    [1_796_076_822_001, 1_796_076_823_000, "2026-11-30T22:13:43Z"],
    [1_796_076_822_999, 1_796_076_823_000, "2026-11-30T22:13:43Z"],
  ] as const)
    it(`has whole seconds, of which none is before what was noted: ${noted}`, async (test) => {
      const folder = await mkdtemp(path.join(tmpdir(), "pallet-time-"));
      test.after(() => rm(folder, { recursive: true }));
      const file = openClockFile(folder);
      assert.equal(file.read(), undefined);
      file.write(noted);
      assert.equal(file.read(), read);
      assert.equal(await readFile(file.path, "utf8"), `${line}\n`);
    });

  it("is as if it were not there where it holds no time", async (test) => {
    const folder = await mkdtemp(path.join(tmpdir(), "pallet-time-"));
    test.after(() => rm(folder, { recursive: true }));
    await writeFile(path.join(folder, "time"), "yesterday\n");
    assert.equal(openClockFile(folder).read(), undefined);
  });
});
