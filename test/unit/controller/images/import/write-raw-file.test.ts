import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import fc from "fast-check";
import { writeRawFile } from "../../../../../controller/images/import/write-raw-file.ts";
import { Failure } from "../../../../../proto/failure.ts";

let folder: string;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), "pallet-raw-"));
});
after(() => rm(folder, { recursive: true }));

describe("a raw image", () => {
  it("ends with its last whole sector, in whatever pieces it comes; only zeros may be behind that", async () => {
    let files = 0;
    const bytes = fc.uint8Array({ minLength: 0, maxLength: 512 * 5 });
    const content = fc.oneof(
      bytes,
      bytes.map((each) => each.fill(0, -511)),
      bytes.map((each) => each.fill(0, -300)),
    );
    const cuts = fc.array(fc.integer({ min: 0, max: 700 }), { minLength: 1, maxLength: 20 });
    await fc.assert(
      fc.asyncProperty(content, cuts, async (given, lengths) => {
        const path = join(folder, `${files++}`);
        const source = async function* () {
          // A source may use its memory again.
          const memory = Buffer.alloc(1000);
          for (let at = 0, index = 0; at < given.length; index += 1) {
            const length = Math.min(Math.max(lengths[index % lengths.length] ?? 1, 1), given.length - at);
            memory.set(given.subarray(at, at + length));
            yield memory.subarray(0, length);
            at += length;
          }
        };
        const wholeBytes = given.length - (given.length % 512);
        const isGood = wholeBytes > 0 && given.subarray(wholeBytes).every((byte) => byte === 0);
        const written = await writeRawFile(path, source()).catch((error) => {
          assert.ok(error instanceof Failure && error.reason === "image-damaged", String(error));
          return undefined;
        });
        assert.equal(written !== undefined, isGood);
        if (written === undefined) return;
        const whole = given.subarray(0, wholeBytes);
        assert.ok((await readFile(path)).equals(whole));
        assert.equal(written.sizeBytes, wholeBytes);
        assert.equal(written.digest, createHash("sha256").update(whole).digest("hex"));
        assert.equal(written.blocks.firstChanged(0, whole), undefined);
      }),
      { numRuns: 200 },
    );
  });
});
