import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { addRootProperty } from "../../../rack/virtual/add-root-property.ts";

/**
 * A device tree with a property and a node in its root, as dtc(1) lays it out (devicetree specification 0.4, chapter
 * 5).
 */
function aTree(): Buffer {
  const words = (...of: number[]) => Buffer.from(of.flatMap((word) => [word >>> 24, word >>> 16, word >>> 8, word]));
  const struct = Buffer.concat([
    words(1, 0),
    words(3, 5, 0),
    Buffer.from("a Pi\0\0\0\0"),
    words(1),
    Buffer.from("soc\0"),
    words(2, 2, 9),
  ]);
  const strings = Buffer.from("model\0");
  const reservations = Buffer.alloc(16);
  const stringsAt = 40 + reservations.length + struct.length;
  const header = words(0xd00dfeed, stringsAt + strings.length, 56, stringsAt, 40, 17, 16, 0, strings.length);
  return Buffer.concat([header, words(struct.length), reservations, struct, strings]);
}

describe("a property added to the root node of a device tree", () => {
  it("stands before those that were there, and everything else is as it was", () => {
    const tree = aTree();
    const changed = addRootProperty(tree, "serial-number", "00000000deadbeef\0");
    const word = (offset: number) => changed.readUInt32BE(offset);
    assert.equal(word(4), changed.length);
    const struct = changed.subarray(word(8), word(8) + word(36));
    const strings = changed.subarray(word(12), word(12) + word(32));
    assert.equal(strings.toString(), "model\0serial-number\0");
    assert.equal(struct.readUInt32BE(8), 3);
    assert.equal(struct.readUInt32BE(12), 17);
    assert.equal(strings.subarray(struct.readUInt32BE(16)).toString(), "serial-number\0");
    assert.equal(struct.toString("latin1", 20, 40), "00000000deadbeef\0\0\0\0");
    const before = tree.subarray(tree.readUInt32BE(8), tree.readUInt32BE(12));
    assert.deepEqual(Buffer.concat([struct.subarray(0, 8), struct.subarray(40)]), before);
    assert.deepEqual(changed.subarray(40, 56), tree.subarray(40, 56));
  });

  it("is refused for what is no device tree", () => {
    assert.throws(() => addRootProperty(Buffer.alloc(64), "serial-number", "1\0"), /no flattened device tree/);
  });
});
