import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { execa } from "execa";
import { cacheEntry } from "../../../../controller/artefacts/cache-entry.ts";
import { orderModules, parseModuleIndex } from "../../../../controller/artefacts/kernel-modules.ts";
import { renderCpio } from "../../../../controller/artefacts/render-cpio.ts";

describe("the order in which modules load", () => {
  const index = parseModuleIndex(
    [
      "kernel/fs/ext4/ext4.ko: kernel/fs/jbd2/jbd2.ko kernel/lib/crc16.ko",
      "kernel/fs/jbd2/jbd2.ko: kernel/lib/crc32c_generic.ko",
      "kernel/lib/crc16.ko:",
      "kernel/lib/crc32c_generic.ko:",
      "kernel/drivers/mmc/host/sdhci-pci.ko.xz: kernel/drivers/mmc/host/sdhci.ko.xz",
      "kernel/drivers/mmc/host/sdhci.ko.xz:",
      "",
    ].join("\n"),
    "kernel/drivers/mmc/core/mmc_block.ko\n",
  );
  it("puts each after what it needs, and none twice", () => {
    assert.deepEqual(orderModules(index, ["ext4", "crc16", "sdhci_pci"]), [
      "kernel/lib/crc32c_generic.ko",
      "kernel/fs/jbd2/jbd2.ko",
      "kernel/lib/crc16.ko",
      "kernel/fs/ext4/ext4.ko",
      "kernel/drivers/mmc/host/sdhci.ko.xz",
      "kernel/drivers/mmc/host/sdhci-pci.ko.xz",
    ]);
  });
  it("needs nothing for a module that is built in", () => assert.deepEqual(orderModules(index, ["mmc_block"]), []));
  it("refuses a module that the kernel does not have", () => {
    assert.throws(() => orderModules(index, ["bcm9999"]), /no module bcm9999/);
  });
});

describe("parts that are made of files", () => {
  let folder: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "pallet-demo-parts-"));
  });
  after(() => rm(folder, { recursive: true }));

  it("an archive is unpacked by another program as it was meant", async () => {
    const archive = renderCpio([
      { path: "bin", permissions: 0o755, kind: { type: "folder" } },
      { path: "bin/tool", permissions: 0o755, kind: { type: "file", content: Buffer.from("12345") } },
      { path: "bin/sh", permissions: 0o777, kind: { type: "link", target: "tool" } },
      { path: "empty", permissions: 0o644, kind: { type: "file", content: Buffer.alloc(0) } },
    ]);
    const { stdout } = await execa("busybox", ["cpio", "-id"], { cwd: folder, input: archive });
    assert.equal(stdout, "");
    assert.equal(await readFile(join(folder, "bin/sh"), "utf8"), "12345");
    assert.equal(await readFile(join(folder, "empty"), "utf8"), "");
    const { stdout: modes } = await execa("stat", ["-c", "%a %F", "bin", "bin/tool", "bin/sh"], { cwd: folder });
    assert.equal(modes, "755 directory\n755 regular file\n777 symbolic link");
  });

  it("a cache entry is built once by two who want it at once, and a failed one is not there", async () => {
    const cache = join(folder, "cache");
    let built = 0;
    const build = async (path: string) => {
      built += 1;
      await writeFile(join(path, "file"), "content");
    };
    const [one, two] = await Promise.all([cacheEntry(cache, "entry", build), cacheEntry(cache, "entry", build)]);
    assert.equal(built, 1);
    assert.equal(one, two);
    assert.equal(await readFile(join(one, "file"), "utf8"), "content");

    await assert.rejects(
      cacheEntry(cache, "bad", () => Promise.reject(new Error("no network"))),
      /no network/,
    );
    assert.ok(!existsSync(join(cache, "bad")));
    assert.deepEqual(
      (await readdir(cache)).filter((name) => !/\.(lock|use)$/.test(name)),
      ["entry"],
    );
  });
});
