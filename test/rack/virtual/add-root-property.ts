/** Offsets of the header's fields that are needed here, and tokens (devicetree specification 0.4, chapter 5). */
const field = { magic: 0, totalSize: 4, structOffset: 8, stringsOffset: 12, stringsSize: 32, structSize: 36 } as const;
const token = { beginNode: 1, property: 3 } as const;

/**
 * A flattened device tree with one property more in its root node, as a Pi's firmware adds what it knows of the board.
 */
export function addRootProperty(tree: Buffer, name: string, value: string): Buffer {
  const word = (offset: number) => tree.readUInt32BE(offset);
  if (tree.length < 40 || word(field.magic) !== 0xd00dfeed) throw new Error("no flattened device tree");
  const [structAt, stringsAt] = [word(field.structOffset), word(field.stringsOffset)];
  const struct = tree.subarray(structAt, structAt + word(field.structSize));
  const strings = tree.subarray(stringsAt, stringsAt + word(field.stringsSize));
  // The root node begins with its token and its name, which is empty and padded to four bytes.
  if (struct.readUInt32BE(0) !== token.beginNode || struct.readUInt32BE(4) !== 0) throw new Error("no root node");

  const bytes = Buffer.from(value, "latin1");
  const property = Buffer.alloc(12 + Math.ceil(bytes.length / 4) * 4);
  property.writeUInt32BE(token.property, 0);
  property.writeUInt32BE(bytes.length, 4);
  property.writeUInt32BE(strings.length, 8);
  property.set(bytes, 12);

  const newStruct = Buffer.concat([struct.subarray(0, 8), property, struct.subarray(8)]);
  const newStrings = Buffer.concat([strings, Buffer.from(`${name}\0`, "latin1")]);
  // Everything before both blocks, the header and the memory reservations, stays as it is.
  const head = Buffer.from(tree.subarray(0, Math.min(structAt, stringsAt)));
  const newTree = Buffer.concat([head, newStruct, newStrings]);
  newTree.writeUInt32BE(newTree.length, field.totalSize);
  newTree.writeUInt32BE(head.length, field.structOffset);
  newTree.writeUInt32BE(head.length + newStruct.length, field.stringsOffset);
  newTree.writeUInt32BE(newStrings.length, field.stringsSize);
  newTree.writeUInt32BE(newStruct.length, field.structSize);
  return newTree;
}
