import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, it } from "node:test";
import { gzipSync, zstdCompressSync } from "node:zlib";
import { readInitrd, readKernel } from "../../../../controller/check/read-kernel.ts";
import { readRootfs } from "../../../../controller/check/read-rootfs.ts";
import { contract } from "../../../../proto/gen/contract.ts";

describe("what boots nodes", () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(path.join(tmpdir(), "pallet-check-"));
  });
  afterEach(() => rmSync(folder, { recursive: true }));
  const write = (name: string, content: string | Uint8Array): void => {
    mkdirSync(path.dirname(path.join(folder, name)), { recursive: true });
    writeFileSync(path.join(folder, name), content);
  };

  it("is a kernel, plain or gzipped, with its release", async () => {
    const image = Buffer.alloc(4096);
    image.write("ARM\x64", 56, "latin1");
    image.write("Linux version 6.1.0-28-arm64 (debian)", 1000);
    write("plain", image);
    write("packed", gzipSync(image));
    write("cut", gzipSync(image).subarray(0, 20));
    const fact = { format: "image", release: "6.1.0-28-arm64" };
    assert.deepEqual(await readKernel(folder, "plain"), { path: "plain", ...fact });
    assert.deepEqual(await readKernel(folder, "packed"), { path: "packed", ...fact });
    assert.deepEqual(await readKernel(folder, "cut"), { path: "cut", format: "other" });
    assert.deepEqual(await readKernel(folder, "none"), { path: "none" });
  });

  it("is an initrd, packed by gzip or zstd, with the kernels that it is for", async () => {
    const archive = Buffer.from("070701…lib/modules/6.1.0-28-arm64/kernel/nfs.ko\0");
    write("gzip", gzipSync(archive));
    write("zstd", zstdCompressSync(archive));
    write("xz", "\xfd7zXZ");
    assert.deepEqual((await readInitrd(folder, "gzip")).releases, ["6.1.0-28-arm64"]);
    assert.deepEqual((await readInitrd(folder, "zstd")).releases, ["6.1.0-28-arm64"]);
    assert.deepEqual(await readInitrd(folder, "xz"), { path: "xz", exists: true });
    assert.deepEqual(await readInitrd(folder, "none"), { path: "none", exists: false });
  });

  it("is a root filesystem, whose links are not followed out of it, with the contract of its agent", async () => {
    const root = path.join(folder, "root");
    assert.equal((await readRootfs(root)).isFolder, false);
    write("root/usr/lib/modules/6.1.0-28-arm64/modules.dep", "");
    // The mark lies over the boundary of what is read at once.
    write("root/usr/bin/pallet-agent", `${"x".repeat(2 ** 20 - 10)}${contract}${"x".repeat(100)}`);
    symlinkSync("/usr/lib", path.join(root, "lib"));
    write("root/usr/lib/systemd/systemd", "");
    mkdirSync(path.join(root, "sbin"));
    symlinkSync("/lib/systemd/systemd", path.join(root, "sbin/init"));
    assert.deepEqual(await readRootfs(root), {
      path: root,
      isFolder: true,
      hasInit: true,
      releases: ["6.1.0-28-arm64"],
      hasAgent: true,
      contract,
    });
    write("root/usr/bin/pallet-agent", "#!/bin/sh\n");
    assert.equal((await readRootfs(root)).contract, undefined);
  });
});
