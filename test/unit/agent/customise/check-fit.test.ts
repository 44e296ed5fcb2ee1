import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { checkFit, type Fit } from "../../../../agent/customise/check-fit.ts";
import { Failure } from "../../../../proto/failure.ts";
import type { Program } from "../../../../proto/system/parse-program.ts";
import { aHeader } from "../../proto/system/an-elf.ts";

const mebibyte = 1024 * 1024;

describe("checkFit", () => {
  const fitting: Fit = {
    sizeBytes: 100 * mebibyte,
    program: { kind: "elf", elf: aHeader("arm64"), interpreter: "/lib/ld-linux-aarch64.so.1" },
    system: { elf: aHeader("arm64"), hasInterpreter: true, freeBytes: 104 * mebibyte },
  };
  const change = (program: Program, system: Partial<Fit["system"]>): Fit => ({
    ...fitting,
    program,
    system: { ...fitting.system, ...system },
  });
  const { program } = fitting;

  it("takes what fits, exactly", () => checkFit(fitting));
  it("takes a script everywhere", () =>
    checkFit(change({ kind: "script" }, { elf: undefined, hasInterpreter: false })));
  it("takes a static program where there is no loader", () =>
    checkFit(change({ kind: "elf", elf: aHeader("arm64"), interpreter: undefined }, { hasInterpreter: false })));

  for (const [title, fit, reason, message] of [
    [
      "a 32-bit system",
      change(program, { elf: aHeader("arm") }),
      "unsupported",
      /32-bit ARM system.*use the 64-bit image/,
    ],
    ["another machine", change(program, { elf: aHeader("x64") }), "unsupported", /64-bit x86-64 system.*64-bit ARM64/],
    ["an unknown system", change(program, { elf: undefined }), "unsupported", /it is unknown whether/],
    ["what is no program", change({ kind: "other" }, {}), "unsupported", /neither an ELF file nor a script/],
    ["another C library", change(program, { hasInterpreter: false }), "unsupported", /glibc/],
    [
      "a full one",
      change(program, { freeBytes: 104 * mebibyte - 1 }),
      "too-small",
      /it is 100 MiB, 104 MiB are free, 1 MiB more are needed/,
    ],
    ["a nearly full one", change(program, { freeBytes: 30 * mebibyte }), "too-small", /74 MiB more are needed/],
  ] as const) {
    it(`refuses ${title}, naming --no-resident`, () => {
      assert.throws(
        () => checkFit(fit),
        (error) =>
          error instanceof Failure &&
          error.reason === reason &&
          message.test(error.message) &&
          error.message.includes("--no-resident"),
      );
    });
  }
});
