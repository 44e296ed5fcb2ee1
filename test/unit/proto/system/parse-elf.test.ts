import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, it } from "node:test";
import { findInterpreter, parseElfHeader } from "../../../../proto/system/parse-elf.ts";
import { anElf } from "./an-elf.ts";

describe("ELF headers", () => {
  it("are read of the program that runs this test", () => {
    const bytes = readFileSync(process.execPath);
    const header = parseElfHeader(bytes);
    assert.equal(header?.bits, 64);
    assert.equal(header?.machine, { x64: 62, arm64: 183 }[process.arch as "x64" | "arm64"]);
    const { offsetBytes, entryBytes, count } = header?.programHeaders ?? { offsetBytes: 0, entryBytes: 0, count: 0 };
    const place = header && findInterpreter(header, bytes.subarray(offsetBytes, offsetBytes + entryBytes * count));
    assert.ok(place);
    const loader = bytes.subarray(place.offsetBytes, place.offsetBytes + place.lengthBytes).toString();
    assert.match(loader, /^\/lib(64)?\/ld-linux-/);
  });

  for (const [title, bytes] of [
    ["an empty file", Buffer.alloc(0)],
    ["a script", Buffer.from("#!/bin/sh\n".padEnd(200))],
    ["a cut ELF", anElf({ machine: "arm64" }).subarray(0, 40)],
    ["an ELF for a big-endian machine", Buffer.from(anElf({ machine: "arm64" })).fill(2, 5, 6)],
  ] as const) {
    it(`are not found in ${title}`, () => assert.equal(parseElfHeader(bytes), undefined));
  }

  it("of a static program, or of a cut table, name no loader", () => {
    const program = anElf({ machine: "arm64" });
    const header = parseElfHeader(program);
    assert.ok(header);
    assert.equal(findInterpreter(header, program.subarray(64)), undefined);
    assert.equal(findInterpreter(header, Buffer.alloc(10)), undefined);
  });
});
