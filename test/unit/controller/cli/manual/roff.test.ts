import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  escapeRoff,
  macro,
  renderParagraphs,
  renderProse,
  renderUsage,
} from "../../../../../controller/cli/manual/roff.ts";

describe("text in roff", () => {
  for (const [text, roff] of [
    ["plain text", "plain text"],
    [".profile is a file", "\\&.profile is a file"],
    ["a.b", "a.b"],
    ["'quoted'", "\\(aqquoted\\(aq"],
    ["a\\nb", "a\\enb"],
    ["--sort-by", "\\-\\-sort\\-by"],
    ['say "yes"', "say \\(dqyes\\(dq"],
    ["`x` ^y ~/z", "\\(gax\\(ga \\(hay \\(ti/z"],
    ["25 °C … 🙂", "25 \\[u00B0]C \\[u2026] \\[u1F642]"],
    ["two\nlines\tand a tab", "two lines and a tab"],
    ["\u0007bell", "bell"],
    ["", ""],
  ] as const)
    it(JSON.stringify(text), () => {
      assert.equal(escapeRoff(text), roff);
    });

  it("an argument of a macro is one, whatever is in it", () => {
    assert.equal(macro("SS", escapeRoff('Which nodes ("all")')), '.SS "Which nodes (\\(dqall\\(dq)"');
    assert.equal(macro("TH", "X", ""), '.TH X ""');
  });
});

describe("prose in roff", () => {
  for (const [text, lines] of [
    ["One. Two? Three", ["One.", "Two?", "Three"]],
    [
      "see --no-grow and -l; but not a-b or ca-x",
      ["see \\fB\\-\\-no\\-grow\\fR and \\fB\\-l\\fR; but not a\\-b or ca\\-x"],
    ],
    ['"controller nodes" lists them', ["\\fBcontroller nodes\\fR lists them"]],
    ["as `controller nodes` does", ["as \\fBcontroller nodes\\fR does"]],
    ['"quoted" stays', ["\\(dqquoted\\(dq stays"]],
    [`${"word ".repeat(15)}it word`, [`${"word ".repeat(15)}it`, "word"]],
    // A line that wrapping begins with a dot is no request either.
    [`${"x".repeat(79)} .dots`, ["x".repeat(79), "\\&.dots"]],
    ["", []],
  ] as const)
    it(JSON.stringify(text), () => {
      assert.deepEqual(renderProse(text), lines);
    });

  it("has its paragraphs apart", () => {
    assert.deepEqual(renderParagraphs("One.\n\nTwo."), ["One.", ".PP", "Two."]);
  });
});

describe("a usage in roff: what is typed is bold, what stands for something is italic", () => {
  for (const [usage, roff] of [
    ["[options] [nodes...]", "[\\fIoptions\\fR] [\\fInodes\\fR...]"],
    ["[options] <node> <name>", "[\\fIoptions\\fR] \\fInode\\fR \\fIname\\fR"],
    ["[NODE...] agent|local", "[\\fINODE\\fR...] \\fBagent\\fR|\\fBlocal\\fR"],
    ["[options] <file...>", "[\\fIoptions\\fR] \\fIfile\\fR..."],
    ["KEY=VALUE|KEY-...", "\\fIKEY=VALUE\\fR|\\fIKEY\\-\\fR..."],
  ] as const)
    it(usage, () => {
      assert.equal(renderUsage(usage), roff);
    });
});
