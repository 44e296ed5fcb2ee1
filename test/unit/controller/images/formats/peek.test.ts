import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type Peeked, peek } from "../../../../../controller/images/formats/peek.ts";

describe("peek", () => {
  /** A source of more than is looked at, which says whether it was closed. */
  function source() {
    let isClosed = false;
    const bytes = (async function* () {
      try {
        for (let index = 0; index < 64; index += 1) yield Buffer.alloc(1 << 16, index);
      } finally {
        isClosed = true;
      }
    })();
    return { bytes, isClosed: () => isClosed };
  }
  const failure = new Error("no");
  const uses: Record<string, (peeked: Peeked) => Promise<unknown>> = {
    "reads it all": async ({ all }) => {
      let bytes = 0;
      for await (const piece of all) bytes += piece.length;
      assert.equal(bytes, 64 << 16);
    },
    "reads a part": async ({ all }) => await all.next(),
    "reads a part and fails": async ({ all }) => {
      await all.next();
      throw failure;
    },
    "reads nothing": async () => undefined,
    "reads nothing and fails": async () => {
      throw failure;
    },
    "begins nothing and ends it": async ({ all }) => await all.return(undefined),
  };
  for (const [title, use] of Object.entries(uses))
    it(`closes the source of who ${title}`, async () => {
      const { bytes, isClosed } = source();
      const done = peek(bytes, use);
      if (title.endsWith("fails")) await assert.rejects(done, failure);
      else await done;
      assert.equal(isClosed(), true);
    });

  it("closes the source of another that nobody has begun", async () => {
    const { bytes, isClosed } = source();
    await peek(bytes, ({ all }) => peek(all, async () => undefined));
    assert.equal(isClosed(), true);
  });
});
