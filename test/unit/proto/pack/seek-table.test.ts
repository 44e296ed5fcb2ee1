import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { renderSeekTable, seekTableBytes } from "../../../../proto/pack/seek-table.ts";

describe("a seek table", () => {
  it("is a skippable frame with the lengths of the frames and a footer", () => {
    const table = renderSeekTable([
      { compressedBytes: 0x0102, decompressedBytes: 0x10000 },
      { compressedBytes: 3, decompressedBytes: 512 },
    ]);
    assert.equal(
      table.toString("hex"),
      ["5e2a4d18", "19000000", "02010000", "00000100", "03000000", "00020000", "02000000", "00", "b1ea928f"].join(""),
    );
    assert.equal(table.length, seekTableBytes(2));
  });

  it("of nothing is header and footer", () => assert.equal(renderSeekTable([]).length, 17));
});
