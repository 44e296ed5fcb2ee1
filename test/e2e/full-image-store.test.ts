// An image store on a disk that is full.
import assert from "node:assert/strict";
import { mkdir, mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { gzipSync, zstdCompressSync } from "node:zlib";
import { execa } from "execa";
import { createImageStore } from "../../controller/images/image-store.ts";
import { Refusal } from "../../controller/refusal/refusal.ts";
import { requires } from "../requirements.ts";
import { bootTree, makeSmallImage, rootTree } from "../unit/controller/images/small-image.ts";

describe("an image store on a full disk", requires("root"), () => {
  let folder: string;
  let directory: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "pallet-full-"));
    directory = join(folder, "store");
    await mkdir(directory);
    await execa("mount", ["-t", "tmpfs", "-o", "size=512k", "tmpfs", directory]);
  });
  after(async () => {
    await execa("umount", [directory]);
    await rm(folder, { recursive: true });
  });

  it("says that there is no room and where, and leaves nothing behind", async () => {
    const path = join(folder, "small.img");
    await makeSmallImage(path, [
      { filesystem: "vfat", tree: bootTree },
      { filesystem: "ext4", tree: rootTree },
    ]);
    const raw = await readFile(path);
    const store = await createImageStore({ directory, log: { warn: (_, message) => assert.fail(message) } });
    for (const file of [raw, gzipSync(raw), zstdCompressSync(raw)]) {
      const source = (async function* () {
        yield file;
      })();
      await assert.rejects(
        store.add({ name: "small", source, signal: new AbortController().signal }),
        (error) =>
          error instanceof Refusal && error.kind === "exhausted" && /no space left in .*store/.test(error.message),
      );
    }
    assert.deepEqual(await readdir(directory), []);
  });
});
