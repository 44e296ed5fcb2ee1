import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { renderFields, renderTable } from "../../../../../controller/cli/render/table.ts";
import { clipText, textWidth } from "../../../../../controller/cli/render/text-width.ts";

const plain = { color: false, unicode: true };

describe("table", () => {
  it("aligns columns by what they show and leaves no trailing spaces", () => {
    assert.deepEqual(
      renderTable(
        [{ title: "NAME" }, { title: "SIZE", align: "right" }, { title: "NOTE" }],
        [
          ["rack-1", "9 B", ""],
          ["日本", "1023 B", "x"],
        ],
        plain,
      ),
      ["NAME      SIZE  NOTE", "rack-1     9 B", "日本    1023 B  x"],
    );
  });

  it("cuts only the columns that may be cut, the widest first, when the terminal is narrow", () => {
    const columns = [{ title: "ID" }, { title: "MODEL", shrinkTo: 8 }, { title: "TEXT", shrinkTo: 5 }];
    const rows = [["20261123-001800-k3f9", "Raspberry Pi 4 Model B", "something long"]];
    assert.deepEqual(
      renderTable(columns, rows, { ...plain, width: 50 })[1],
      "20261123-001800-k3f9  Raspberry Pi…  something lo…",
    );
    assert.deepEqual(renderTable(columns, rows, { ...plain, width: 10 })[1], "20261123-001800-k3f9  Raspber…  some…");
  });

  it("cuts nothing in a pipe", () => {
    const [, row] = renderTable([{ title: "A", shrinkTo: 1 }], [["x".repeat(500)]], plain);
    assert.equal(row?.length, 500);
  });

  it("shows what would move the cursor as words", () => {
    const [, row] = renderTable([{ title: "MODEL" }], [["\u001b[2Jfoo\nbar"]], plain);
    assert.equal(row, "\\x1b[2Jfoo\\nbar");
  });

  it("colours the text and not the space around it", () => {
    const [, row] = renderTable([{ title: "STATUS" }, { title: "X" }], [[{ text: "ok", style: "green" }, "y"]], {
      color: true,
      unicode: true,
    });
    assert.equal(row, "\u001b[32mok\u001b[39m      y");
  });

  it("renders fields below each other", () => {
    assert.deepEqual(
      renderFields(
        [
          ["name", "rack-1"],
          ["boot stage", "\u001b"],
        ],
        plain,
      ),
      ["name        rack-1", "boot stage  \\x1b"],
    );
  });
});

describe("clipped text", () => {
  it("is never wider than asked, whatever characters it has", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme" }), fc.nat(30), (text, columns) => {
        assert.ok(textWidth(clipText(text, columns)) <= columns);
      }),
    );
  });

  it("does not cut a wide character in two", () => {
    assert.equal(clipText("日本語", 4), "日…");
  });
});
