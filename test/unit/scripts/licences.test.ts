import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import path from "node:path";
import { describe, it } from "node:test";
import { checkLicences } from "../../../scripts/check-licences.ts";
import { isAllowed, parseLock } from "../../../scripts/judge-licence.ts";

describe("a licence", () => {
  for (const [expression, allowed] of [
    ["MIT", true],
    ["Apache-2.0 AND BSD-3-Clause", true],
    ["(MIT OR GPL-3.0-only)", true],
    ["(BSD-2-Clause OR MIT OR Apache-2.0)", true],
    ["MIT AND (GPL-2.0-only OR ISC)", true],
    ["GPL-3.0-only", false],
    ["MIT AND LGPL-3.0-or-later", false],
    ["GPL-2.0-only OR AGPL-3.0-only", false],
    ["GPL-2.0-only WITH Classpath-exception-2.0", false],
    ["MIT WITH Something", false],
    ["(MIT", false],
    ["MIT)", false],
    ["SEE LICENSE IN LICENSE.md", false],
    ["UNLICENSED", false],
    ["", false],
  ] as const)
    it(`${JSON.stringify(expression)} is ${allowed ? "" : "not "}allowed`, () =>
      assert.equal(isAllowed(expression), allowed));
});

describe("the dependencies", () => {
  it("are each once in the list, shipped if anything shipped needs them", () => {
    const of = (license: string, dev: boolean) => ({ version: "1.0.0", license, ...(dev && { dev }) });
    const packages = {
      "": {},
      "node_modules/a": of("MIT", true),
      "node_modules/@b/c/node_modules/a": of("MIT", false),
    };
    assert.deepEqual(parseLock(JSON.stringify({ packages })), [
      { name: "a", version: "1.0.0", licence: "MIT", dev: false },
    ]);
  });

  it("are all under licences that are allowed", async () => {
    const lines: string[] = [];
    await checkLicences((text) => void lines.push(text));
    const file = path.join(import.meta.dirname, "../../../package.json");
    const { dependencies } = JSON.parse(await readFile(file, "utf8")) as { dependencies: Record<string, string> };
    for (const [name, version] of Object.entries(dependencies))
      assert.ok(
        lines.some((line) => line.includes(`${name} ${version}`)),
        name,
      );
  });
});
