import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, open, readFile, rm, truncate, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import process from "node:process";
import { after, before, describe, it, type TestContext } from "node:test";
import { execa } from "execa";
import { attachLoop, detachLoop, detachLoopsOver } from "../../../../proto/linux/loop-device.ts";
import { assertDetached } from "../../../assert-detached.ts";
import { requires } from "../../../requirements.ts";

describe("loop devices", requires("root", "loop devices"), () => {
  let folder = "";
  before(async () => {
    folder = await mkdtemp(path.join(os.tmpdir(), "pallet-loops-"));
  });
  after(() => rm(folder, { recursive: true, force: true }));

  let count = 0;
  async function aFile(sizeBytes = 1 << 20): Promise<string> {
    const file = path.join(folder, `file-${++count}`);
    await writeFile(file, "");
    await truncate(file, sizeBytes);
    return file;
  }
  /** As an operator does it: it stays until someone detaches it. */
  async function leftBehind(test: TestContext, file: string): Promise<string> {
    const device = (await execa("losetup", ["--find", "--show", file])).stdout.trim();
    test.after(() => detachLoop(device, file));
    return device;
  }

  it("show the place in the file that they were made for", async () => {
    const file = await aFile();
    const loop = await attachLoop({ file, offsetBytes: 4096, lengthBytes: 8192 });
    const device = await open(loop.path, "r+");
    await device.write("here", 512);
    await device.sync();
    const { stdout } = await execa("blockdev", ["--getsize64", loop.path]);
    await device.close();
    await loop.close();
    assert.equal(stdout, "8192");
    assert.equal((await readFile(file)).indexOf("here"), 4096 + 512);
    await assertDetached(file);
  });

  it("are what was asked for, and always go at the last close", async () => {
    const file = await aFile(8 << 20);
    const loop = await attachLoop({ file, partitions: true });
    // Whether there is anything to find depends on the kernel's partition parsers as well.
    const said = async (name: string) =>
      (await readFile(`/sys/block/${path.basename(loop.path)}/loop/${name}`, "utf8")).trim();
    assert.deepEqual([await said("partscan"), await said("autoclear"), await said("backing_file")], ["1", "1", file]);
    await loop.close();
    await assertDetached(file);
  });

  it("are given to one only, however many ask at once", async () => {
    const files = await Promise.all(Array.from({ length: 12 }, () => aFile()));
    const loops = await Promise.all(files.map((file) => attachLoop({ file })));
    assert.equal(new Set(loops.map((loop) => loop.path)).size, files.length);
    await Promise.all(loops.map((loop) => loop.close()));
    for (const file of files) await assertDetached(file);
  });

  it("go when the process that attached them is killed", async () => {
    const file = await aFile();
    const module = new URL("../../../../proto/linux/loop-device.ts", import.meta.url).href;
    const source = `const { attachLoop } = await import(${JSON.stringify(module)});
      await attachLoop({ file: ${JSON.stringify(file)} }); console.log("attached"); setInterval(() => {}, 1000);`;
    const child = spawn(process.execPath, ["--input-type=module", "-e", source], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    await once(child.stdout, "data");
    child.kill("SIGKILL");
    await once(child, "exit");
    await assertDetached(file);
  });

  it("say what cannot be attached", async () => {
    await assert.rejects(attachLoop({ file: path.join(folder, "nowhere") }), { code: "ENOENT" });
  });

  it("of others are detached once, and by what they lie over", async (test) => {
    const [file, other] = [await aFile(), await aFile()];
    const device = await leftBehind(test, file);
    assert.equal(await detachLoop(device, other), false);
    assert.equal(await detachLoop(device, path.join(folder, "gone")), false);
    assert.equal(await detachLoop(device, file), true);
    await assertDetached(file);
    assert.equal(await detachLoop(device, file), false);
    assert.equal(await detachLoop("/dev/loop-that-never-was", file), false);
  });

  it("of others over a block device are known by its number", async (test) => {
    const disk = await attachLoop({ file: await aFile() });
    try {
      const device = await leftBehind(test, disk.path);
      assert.equal(await detachLoop(device, await aFile()), false);
      await detachLoopsOver(disk.path);
      await assertDetached(disk.path);
      assert.equal(await detachLoop(device, disk.path), false);
    } finally {
      await disk.close();
    }
  });

  it("of others stay when their file has been replaced by one of the same name", async (test) => {
    const file = await aFile();
    const old = await open(file, "r");
    test.after(() => old.close());
    const device = (await execa("losetup", ["--find", "--show", file])).stdout.trim();
    test.after(() => detachLoop(device, `/proc/${process.pid}/fd/${old.fd}`));
    await rm(file);
    await writeFile(file, "another");
    await detachLoopsOver(file);
    assert.equal(await detachLoop(device, file), false);
    assert.equal(await detachLoop(device, `/proc/${process.pid}/fd/${old.fd}`), true);
  });
});
