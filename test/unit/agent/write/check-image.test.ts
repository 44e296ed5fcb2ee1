import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { describe, it } from "node:test";
import fc from "fast-check";
import { BLOCK_BYTES, createBufferPool, intoBlocks } from "../../../../agent/write/blocks.ts";
import { type ChunkDigest, checkImage, digestOf, recordDigests } from "../../../../agent/write/check-image.ts";
import { splitHead } from "../../../../agent/write/split-head.ts";
import { Failure } from "../../../../proto/failure.ts";

const image = randomBytes(100_000);
const expected = { sizeBytes: image.length, digest: digestOf(image) };

async function* inPieces(bytes: Uint8Array, lengths: readonly number[]): AsyncGenerator<Uint8Array> {
  for (let at = 0, n = 0; at < bytes.length; n += 1) {
    const length = lengths[n % lengths.length] ?? bytes.length;
    yield bytes.subarray(at, at + length);
    at += length;
  }
}

describe("checkImage", () => {
  it("passes the image on", async () => {
    const passed = await Array.fromAsync(checkImage(inPieces(image, [7_000]), expected));
    assert.ok(Buffer.concat(passed).equals(image));
  });

  const altered = Buffer.from(image);
  altered[50_000] = (altered[50_000] ?? 0) ^ 1;
  const wrong: { title: string; bytes: Uint8Array; message: RegExp; passed: number }[] = [
    { title: "one altered bit", bytes: altered, message: /SHA-256 differs/, passed: 100_000 },
    { title: "one byte too few", bytes: image.subarray(1), message: /truncated/, passed: 99_999 },
    {
      title: "one byte too many, before passing on its piece",
      bytes: Buffer.concat([image, Buffer.alloc(1)]),
      message: /longer/,
      passed: 98_000,
    },
    { title: "nothing", bytes: Buffer.alloc(0), message: /truncated/, passed: 0 },
  ];
  for (const { title, bytes, message, passed } of wrong) {
    it(`rejects ${title}`, async () => {
      let seen = 0;
      const check = async () => {
        for await (const piece of checkImage(inPieces(bytes, [7_000]), expected)) seen += piece.length;
      };
      await assert.rejects(check, (error: unknown) => {
        assert.ok(error instanceof Failure);
        assert.equal(error.reason, "image-damaged");
        assert.match(error.message, message);
        assert.ok(error.evidence.expected !== undefined && error.evidence.expected !== error.evidence.found);
        return true;
      });
      assert.equal(seen, passed);
    });
  }
});

describe("splitHead and intoBlocks", () => {
  it("cut any stream into its head and blocks at the right places, with the digest of each", async () => {
    const big = randomBytes(2 * BLOCK_BYTES + 1_234_567);
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 3_000 }).map((sectors) => sectors * 512),
        fc.integer({ min: 0, max: big.length }),
        fc.array(fc.integer({ min: 100_000, max: 6_000_000 }), { minLength: 1, maxLength: 5 }),
        async (headBytes, length, cuts) => {
          const bytes = big.subarray(0, length);
          const pool = createBufferPool(1);
          const chunks: ChunkDigest[] = [];
          const { head, rest } = await splitHead(inPieces(bytes, cuts), headBytes);
          const parts: Buffer[] = [Buffer.from(head)];
          let at = headBytes;
          for await (const block of recordDigests(intoBlocks(rest, headBytes, pool), (chunk) => chunks.push(chunk))) {
            assert.equal(block.offsetBytes, at);
            at += block.lengthBytes;
            assert.ok(at % BLOCK_BYTES === 0 || at === length, "only the last block ends elsewhere");
            parts.push(Buffer.from(block.buffer.subarray(0, block.lengthBytes)));
            pool.give(block.buffer);
          }
          assert.ok(Buffer.concat(parts).equals(bytes));
          assert.deepEqual(
            chunks.map(({ digest }) => digest),
            parts.slice(1).map(digestOf),
          );
        },
      ),
      { numRuns: 15 },
    );
  });

  it("do not hide a block buffer that nobody gave back", () => {
    const pool = createBufferPool(1);
    pool.take();
    assert.throws(() => pool.take(), /all 1 block buffers are in use/);
  });
});
