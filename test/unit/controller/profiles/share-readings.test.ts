import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { shareReadings } from "../../../../controller/profiles/share-readings.ts";

describe("readings that are shared", () => {
  /** What is read is the number of the reading; each ends when it is told to. */
  const begin = () => {
    const ends: (PromiseWithResolvers<number> | undefined)[] = [];
    const read = shareReadings(() => {
      const reading = Promise.withResolvers<number>();
      ends.push(reading);
      return reading.promise;
    });
    return { read, ends, end: (reading: number) => ends[reading]?.resolve(reading) };
  };
  const settled = () => new Promise((resolve) => setImmediate(resolve));

  it("are two for two hundred who ask at once, of which the second begins after they have asked", async () => {
    const { read, ends, end } = begin();
    const asked = Array.from({ length: 200 }, read);
    assert.equal(ends.length, 1);
    end(0);
    await settled();
    assert.equal(ends.length, 2);
    end(1);
    assert.deepEqual(await Promise.all(asked), [0, ...Array<number>(199).fill(1)]);
  });

  it("are never older than who asks: not of one that was under way, nor of one that has ended", async () => {
    const { read, end } = begin();
    const first = read();
    const second = read();
    end(0);
    await settled();
    // Under way already.
    const third = read();
    end(1);
    await settled();
    end(2);
    assert.deepEqual(await Promise.all([first, second, third]), [0, 1, 2]);
    const fourth = read();
    end(3);
    assert.equal(await fourth, 3);
  });

  it("fail for who shares them, and for nobody after", async () => {
    const { read, ends, end } = begin();
    const first = assert.rejects(read(), /the folder is gone/);
    const second = read();
    ends[0]?.reject(new Error("the folder is gone"));
    await first;
    await settled();
    end(1);
    assert.equal(await second, 1);
  });
});
