import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { createLogBuffer, type LogBuffer } from "../../../../agent/log/log-buffer.ts";
import { anEntry } from "./an-entry.ts";

const everything = { records: 100, bytes: 1e9 };

function filled(count: number, limits: { records?: number; bytes?: number } = {}): LogBuffer {
  const buffer = createLogBuffer({ records: 100, bytes: 1e9, ...limits });
  for (let number = 1; number <= count; number++) buffer.append(anEntry(`${number}`), number * 10);
  return buffer;
}

const sequences = (buffer: LogBuffer, most = everything) => buffer.batch(most).map(({ sequence }) => sequence);

describe("log buffer", () => {
  it("numbers records from 1 and gives the oldest first", () => {
    const buffer = filled(3);
    assert.deepEqual(sequences(buffer), [1, 2, 3]);
    assert.deepEqual([buffer.size, buffer.lastSequence, buffer.droppedCount], [3, 3, 0]);
    assert.deepEqual([buffer.oldest?.writtenAtMs, buffer.oldest?.message], [10, "1"]);
  });

  it("is empty at first", () => {
    const buffer = filled(0);
    assert.deepEqual([buffer.batch(everything), buffer.oldest, buffer.lastSequence], [[], undefined, 0]);
  });

  it("drops the oldest when there are too many, and counts them", () => {
    const buffer = filled(5, { records: 3 });
    assert.deepEqual(sequences(buffer), [3, 4, 5]);
    assert.equal(buffer.droppedCount, 2);
  });

  it("drops the oldest when they take too much, but keeps the newest whatever it takes", () => {
    const buffer = filled(3, { bytes: 1000 });
    buffer.append(anEntry("x".repeat(500)), 0);
    assert.deepEqual(sequences(buffer), [3, 4]);
    buffer.append(anEntry("x".repeat(5000)), 0);
    assert.deepEqual([sequences(buffer), buffer.droppedCount], [[5], 4]);
    buffer.append(anEntry(), 0);
    assert.deepEqual(sequences(buffer), [6]);
  });

  it("gives no more than is wanted, but one at least", () => {
    const buffer = filled(5);
    assert.deepEqual(sequences(buffer, { records: 2, bytes: 1e9 }), [1, 2]);
    assert.deepEqual(sequences(buffer, { records: 9, bytes: 450 }), [1, 2]);
    assert.deepEqual(sequences(buffer, { records: 9, bytes: 1 }), [1]);
  });

  it("lets go of what has arrived", () => {
    const buffer = filled(5);
    buffer.release(buffer.batch({ records: 2, bytes: 1e9 }));
    assert.deepEqual([sequences(buffer), buffer.droppedCount], [[3, 4, 5], 0]);
    buffer.release(buffer.batch(everything));
    assert.deepEqual([sequences(buffer), buffer.droppedCount, buffer.lastSequence], [[], 0, 5]);
  });

  it("does not count as dropped what arrived although it was dropped on its way", () => {
    const buffer = filled(3, { records: 3 });
    const sent = buffer.batch({ records: 2, bytes: 1e9 });
    buffer.append(anEntry(), 0);
    assert.deepEqual([sequences(buffer), buffer.droppedCount], [[2, 3, 4], 1]);
    buffer.release(sent);
    assert.deepEqual([sequences(buffer), buffer.droppedCount], [[3, 4], 0]);
  });

  it("drops and counts what is refused", () => {
    const buffer = filled(3);
    buffer.discard(buffer.batch({ records: 2, bytes: 1e9 }));
    assert.deepEqual([sequences(buffer), buffer.droppedCount], [[3], 2]);
  });

  it("has room again after records have left", () => {
    const buffer = filled(3, { bytes: 700 });
    buffer.release(buffer.batch(everything));
    for (const _ of [4, 5, 6]) buffer.append(anEntry("1"), 0);
    assert.deepEqual([sequences(buffer), buffer.droppedCount], [[4, 5, 6], 0]);
  });
});
