import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  type DecompressorEnd,
  judgeDecompressor,
} from "../../../../../controller/images/formats/judge-decompressor.ts";

describe("a decompressor that fails", () => {
  const memory = ["tool-failed", / is short of memory .*: free some memory.* and add the .img$/] as const;
  const damage = ["image-damaged", /^the file is damaged or was cut short: /] as const;
  // As xz 5.4.1 and zstd 1.5.4 say it.
  const cases: readonly (readonly [DecompressorEnd, readonly [string, RegExp]])[] = [
    [
      {
        command: "xz",
        exitCode: 1,
        said: "xz: (stdin): Memory usage limit reached\nxz: 65 MiB of memory is required.",
      },
      memory,
    ],
    [{ command: "xz", exitCode: 1, said: "xz: (stdin): Cannot allocate memory\n" }, memory],
    [{ command: "zstd", exitCode: 1, said: "Decoding error (36) : Allocation error : not enough memory" }, memory],
    [{ command: "zstd", exitCode: 1, said: "(36) : Frame requires too much memory for decoding" }, memory],
    [{ command: "zstd", exitCode: 1, said: "Window size larger than maximum : 4294967296 > 2147483648" }, memory],
    [{ command: "xz", signal: "SIGKILL", said: "" }, memory],
    [{ command: "xz", signal: "SIGTERM", said: "" }, ["tool-failed", /xz was ended by SIGTERM/]],
    [{ command: "xz", exitCode: 1, said: "xz: (stdin): Unexpected end of input" }, damage],
    [{ command: "xz", exitCode: 1, said: "xz: (stdin): Compressed data is corrupt" }, damage],
    [{ command: "zstd", exitCode: 1, said: "" }, damage],
  ];
  for (const [end, [reason, message]] of cases) {
    it(`is judged ${reason} when it says "${end.said.trim().split("\n")[0]}" (${end.signal ?? end.exitCode})`, () => {
      const failure = judgeDecompressor(end);
      assert.match(failure.message, message);
      assert.equal(failure.reason, reason);
    });
  }
});
