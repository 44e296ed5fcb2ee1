import assert from "node:assert/strict";
import { it } from "node:test";
import { examples } from "../../../../../controller/cli/commands/option-texts.ts";
import { readAfter } from "../../../../../controller/cli/tree/read-after.ts";

it("examples are read as they were written", () => {
  const text = examples(["controller nodes"], ["controller nodes -l a=b | wc -l", "how many? some"]);
  assert.deepEqual(readAfter(text), [
    {
      heading: "Examples",
      examples: [
        { command: "controller nodes", does: "" },
        { command: "controller nodes -l a=b | wc -l", does: "how many? some" },
      ],
      rows: [],
    },
  ]);
});

it("other passages are rows of a term and what is said about it", () => {
  assert.deepEqual(readAfter("\nExit codes:\n    0  done\n  130  stopped: by Ctrl-C\n\nEnvironment:\n  X  the x\n"), [
    {
      heading: "Exit codes",
      examples: [],
      rows: [
        ["0", "done"],
        ["130", "stopped: by Ctrl-C"],
      ],
    },
    { heading: "Environment", examples: [], rows: [["X", "the x"]] },
  ]);
});

it("nothing is no passage", () => {
  assert.deepEqual(readAfter("\n"), []);
});
