import assert from "node:assert/strict";
import { mkdir, mkdtemp, rm, truncate, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { after, before, describe, it } from "node:test";
import { findBlockMap, namesBeside } from "../../../../../controller/cli/commands/find-block-map.ts";

let folder: string;
before(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), "pallet-bmap-"));
});
after(() => rm(folder, { recursive: true }));

describe("the block map of an image file", () => {
  const names: readonly (readonly [string, readonly string[]])[] = [
    ["a/b.img.xz", ["a/b.img.xz.bmap", "a/b.img.bmap", "a/b.bmap"]],
    ["b.wic", ["b.wic.bmap", "b.bmap"]],
    ["image", ["image.bmap"]],
    ["some.dir/image", ["some.dir/image.bmap"]],
    ["dir/.hidden", ["dir/.hidden.bmap"]],
  ];
  for (const [image, expected] of names) {
    it(`beside ${image} is called ${expected.join(" or ")}`, () => assert.deepEqual(namesBeside(image), expected));
  }

  it("is the first of these that is there, unless one is given", async () => {
    const image = path.join(folder, "x.img.gz");
    assert.equal(await findBlockMap(image, undefined), undefined);
    await mkdir(path.join(folder, "x.img.gz.bmap"));
    await writeFile(path.join(folder, "x.bmap"), "last");
    await writeFile(path.join(folder, "x.img.bmap"), "middle");
    await writeFile(path.join(folder, "other"), "given");
    assert.equal(`${(await findBlockMap(image, undefined))?.bytes}`, "middle");
    assert.equal(`${(await findBlockMap(image, path.join(folder, "other")))?.bytes}`, "given");
  });

  it("is refused by name when it is not there, empty or too large", async () => {
    await assert.rejects(findBlockMap("x", path.join(folder, "none.bmap")), /cannot use .*none\.bmap: ENOENT/);
    await writeFile(path.join(folder, "empty.bmap"), "");
    await assert.rejects(findBlockMap(path.join(folder, "empty.img"), undefined), /empty\.bmap: it is empty/);
    await writeFile(path.join(folder, "huge"), "");
    await truncate(path.join(folder, "huge"), 2 ** 40);
    await assert.rejects(findBlockMap("x", path.join(folder, "huge")), /huge: it has 1099511627776 bytes/);
  });
});
