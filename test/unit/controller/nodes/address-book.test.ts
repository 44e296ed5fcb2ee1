import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { createAddressBook } from "../../../../controller/nodes/address-book.ts";
import type { NodeId } from "../../../../proto/names/node-id.ts";

const one = "b8:27:eb:00:00:01" as NodeId;
const two = "b8:27:eb:00:00:02" as NodeId;

describe("address book", () => {
  it("gives an address to the node that used it last", () => {
    const book = createAddressBook();
    book.note("10.0.0.1", one, 0);
    book.note("10.0.0.1", two, 1);
    assert.equal(book.ownerOf("10.0.0.1", 2), two);
    assert.equal(book.ownerOf("10.0.0.2", 2), undefined);
  });

  it("does not trust an address that was quiet for long", () => {
    const book = createAddressBook({ rememberMs: 100 });
    book.note("10.0.0.1", one, 0);
    assert.equal(book.ownerOf("10.0.0.1", 100), one);
    assert.equal(book.ownerOf("10.0.0.1", 101), undefined);
  });

  it("forgets the oldest when it is full, and a node when told", () => {
    const book = createAddressBook({ capacity: 2 });
    book.note("10.0.0.1", one, 0);
    book.note("10.0.0.2", one, 0);
    book.note("10.0.0.1", one, 1);
    book.note("10.0.0.3", two, 2);
    assert.equal(book.ownerOf("10.0.0.2", 3), undefined);
    assert.equal(book.ownerOf("10.0.0.1", 3), one);
    book.forget(one);
    assert.equal(book.ownerOf("10.0.0.1", 3), undefined);
    assert.equal(book.ownerOf("10.0.0.3", 3), two);
  });
});
