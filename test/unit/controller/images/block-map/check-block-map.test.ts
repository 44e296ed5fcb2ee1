import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { mkdtemp, open, readFile, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { checkBlockMap } from "../../../../../controller/images/block-map/check-block-map.ts";
import { parseBlockMap } from "../../../../../controller/images/block-map/parse-block-map.ts";
import { Failure } from "../../../../../proto/failure.ts";
import { goldenFile } from "../../../../golden.ts";
import { renderBlockMap } from "./a-block-map.ts";

const golden = goldenFile("images/mapped.img.bmap");
const mapped = [0, 1, 2, 3, 17, 100, 101, 102, 299];
const imageBytes = 300 * 4096 + 512;
let folder: string;

before(async () => {
  folder = await mkdtemp(join(tmpdir(), "pallet-bmap-"));
});
after(() => rm(folder, { recursive: true }));

const block = (number: number) => Buffer.from(Array.from({ length: 4096 }, (_, index) => (number * 7 + index) % 251));

/** The image of which bmaptool made the map; `altered` is the number of a byte that differs. */
async function anImage(name: string, altered?: number): Promise<string> {
  const path = join(folder, name);
  const file = await open(path, "wx");
  await file.truncate(imageBytes);
  for (const each of mapped) await file.write(block(each), 0, 4096, each * 4096);
  await file.write(block(300), 0, 512, 300 * 4096);
  if (altered !== undefined) await file.write(Buffer.from([0xee]), 0, 1, altered);
  await file.close();
  return path;
}

async function check(path: string, signal = new AbortController().signal): Promise<number> {
  let checked = 0;
  const onChecked = (bytes: number) => {
    checked = bytes;
  };
  await checkBlockMap(path, parseBlockMap(await readFile(golden)), onChecked, signal);
  return checked;
}

describe("an image and its block map", () => {
  it("match", async () => assert.equal(await check(await anImage("same")), imageBytes));

  it("match also where blocks that are not mapped differ", async () => {
    assert.equal(await check(await anImage("hole", 50 * 4096)), imageBytes);
  });

  it("do not match where a mapped block differs: the range is named", async () => {
    for (const [at, range] of [
      [101 * 4096 + 5, "100 to 102"],
      [imageBytes - 1, "299 to 300"],
    ] as const) {
      await assert.rejects(check(await anImage(`altered-${at}`, at)), (error) => {
        assert.ok(error instanceof Failure);
        assert.equal(error.reason, "image-damaged");
        assert.match(error.message, new RegExp(`does not match its block map in blocks ${range}`));
        assert.match(error.evidence.expected ?? "", /^sha256 [0-9a-f]{64}$/);
        return true;
      });
    }
  });

  it("match when the map counts zeros that fill no sector at the end of the image", async () => {
    const bytes = Buffer.concat([block(1).subarray(0, 1024), Buffer.alloc(100)]);
    const checksum = createHash("sha256").update(bytes).digest("hex");
    const text = renderBlockMap({ imageBytes: 1124, blockBytes: 4096, ranges: [{ first: 0, last: 0, checksum }] });
    const path = join(folder, "padded");
    await writeFile(path, bytes.subarray(0, 1024));
    await checkBlockMap(path, parseBlockMap(text), () => undefined, new AbortController().signal);
  });

  it("do not match when their lengths differ", async () => {
    const path = await anImage("longer");
    await truncate(path, imageBytes + 512);
    await assert.rejects(check(path), /belongs to another image: the lengths differ/);
  });

  it("are not compared any further when the signal comes", async () => {
    const path = await anImage("given up");
    await assert.rejects(check(path, AbortSignal.abort(new Error("enough"))), /enough/);
  });
});
