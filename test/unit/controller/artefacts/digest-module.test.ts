import assert from "node:assert/strict";
import { cp, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, before, describe, it } from "node:test";
import { digestModule } from "../../../../controller/artefacts/digest-module.ts";
import { baseSystemDigest } from "../../../../controller/rootfs/source-files.ts";

describe("the digest of a module", () => {
  let parent: string;
  let folder: string;
  const write = (name: string, text: string) => writeFile(path.join(folder, name), text);
  const digest = (where = folder) => digestModule(path.join(where, "builder/build.ts"));
  before(async () => {
    parent = await mkdtemp(path.join(tmpdir(), "pallet-digest-"));
    // What a checkout's own folder is called does not matter.
    folder = path.join(parent, "proto/pallet");
    await mkdir(folder, { recursive: true });
    for (const name of ["builder", "proto"]) await mkdir(path.join(folder, name));
    await write(
      "builder/build.ts",
      'import { a } from "./a.ts";\nimport {\n  b,\n  c,\n} from "../b.ts";\nimport "node:fs";\n',
    );
    await write("builder/a.ts", 'export { back } from "./build.ts";\nexport const a = 1;\n');
    await write("b.ts", 'import { failure } from "./proto/failure.ts";\nexport const b = 1, c = 2;\n');
    await write("proto/failure.ts", "export const failure = 1;\n");
    await write("builder/unrelated.ts", "1;\n");
  });
  after(() => rm(parent, { recursive: true }));

  it("is another one when something changes that it imports, directly or not, in one line or more", async () => {
    const seen = new Set([digest()]);
    for (const [name, text] of [
      ["builder/build.ts", 'import { a } from "./a.ts";\nimport { b } from "../b.ts";\n'],
      ["builder/a.ts", "export const a = 2;\n"],
      ["b.ts", "export const b = 2;\n"],
    ] as const) {
      await write(name, text);
      seen.add(digest());
    }
    assert.equal(seen.size, 4);
  });

  it("stays when something else changes, or how failures are told, and is the same wherever the checkout lies", async () => {
    await write("b.ts", 'import { failure } from "./proto/failure.ts";\nexport const b = 1, c = 2;\n');
    const first = digest();
    await write("builder/unrelated.ts", "2;\n");
    await write("proto/failure.ts", "export const failure = 2;\n");
    assert.equal(digest(), first);
    const elsewhere = path.join(folder, "elsewhere");
    await cp(path.join(folder, "builder"), path.join(elsewhere, "builder"), { recursive: true });
    await cp(path.join(folder, "b.ts"), path.join(elsewhere, "b.ts"));
    assert.equal(digest(elsewhere), first);
  });

  it("is taken of the builders", () => assert.match(baseSystemDigest, /^[0-9a-f]{64}$/));
});
