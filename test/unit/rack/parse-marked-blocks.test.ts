import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { parseMarkedBlocks } from "../../rack/documented/parse-marked-blocks.ts";

const page = (...lines: string[]) => lines.join("\n");

describe("parseMarkedBlocks", () => {
  it("finds what a test runs, what none runs with its reason, and what says nothing", () => {
    const blocks = parseMarkedBlocks(
      "README.md",
      page(
        "# A title",
        "<!-- tested: build -->",
        "```sh",
        "one",
        "",
        "  two # ``` no end",
        "```",
        "words `in line`",
        "<!-- not tested: needs a real Pi -->",
        "```sh",
        "three",
        "```",
        "<!-- a comment -->",
        "```",
        "<!-- tested: inside a block -->",
        "```",
      ),
    );
    assert.deepEqual(blocks, {
      marked: [{ name: "build", language: "sh", text: "one\n\n  two # ``` no end\n", line: 2 }],
      untested: [
        { reason: "needs a real Pi", language: "sh", text: "three\n", line: 9 },
        { reason: undefined, language: "", text: "<!-- tested: inside a block -->\n", line: 14 },
      ],
    });
  });

  const refused: readonly (readonly [title: string, markdown: string, message: RegExp])[] = [
    [
      "a marker without a block",
      page("<!-- tested: build -->", "", "```sh", "```"),
      /README\.md:1: no code block follows/,
    ],
    ["a block without an end", page("", "```sh", "one"), /README\.md:2: this code block is not closed/],
    [
      "a name for two blocks",
      page("<!-- tested: a -->", "```", "```", "<!-- tested: a -->", "```", "```"),
      /README\.md:4: another block is called "a" too/,
    ],
  ];
  for (const [title, markdown, message] of refused)
    it(`refuses ${title}`, () => {
      assert.throws(() => parseMarkedBlocks("README.md", markdown), message);
    });
});
