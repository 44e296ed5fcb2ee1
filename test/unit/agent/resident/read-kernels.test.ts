import assert from "node:assert/strict";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { gzipSync } from "node:zlib";
import { createKernelReader } from "../../../../agent/resident/read-kernels.ts";

/** A kernel with its banner across two pieces of a megabyte. */
const kernel = (release: string): Buffer => {
  const bytes = Buffer.alloc(3 * 1024 * 1024, 7);
  bytes.write(`Linux version ${release} (builder@example) #1`, 1024 * 1024 - 20, "latin1");
  return bytes;
};

describe("the kernels and modules of a system", () => {
  let folder: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "pallet-kernels-"));
    await mkdir(join(folder, "modules/6.12.34+rpt-rpi-v8"), { recursive: true });
    await mkdir(join(folder, "modules/6.12.40+rpt-rpi-v8"));
    await writeFile(join(folder, "modules/6.12.40+rpt-rpi-v8/modules.dep"), "a.ko:\n");
    await mkdir(join(folder, "boot/firmware"), { recursive: true });
    await writeFile(join(folder, "boot/vmlinuz-6.1.0-28-arm64"), "");
    await writeFile(join(folder, "boot/initrd.img-6.1.0-28-arm64"), "");
    await writeFile(join(folder, "boot/firmware/kernel8.img"), gzipSync(kernel("6.12.40+rpt-rpi-v8")));
    await writeFile(join(folder, "boot/firmware/kernel_2712.img"), kernel("6.12.40+rpt-rpi-2712"));
    await writeFile(join(folder, "boot/firmware/Image"), gzipSync(kernel("9.9")).subarray(0, 500));
  });
  after(() => rm(folder, { recursive: true }));
  const reader = () =>
    createKernelReader({
      modules: join(folder, "modules"),
      boot: [join(folder, "boot"), join(folder, "boot/firmware")],
    });

  it("are found by folders, by names and by magic; a kernel that cannot be unpacked is none", async () => {
    assert.deepEqual(await reader()(), {
      modules: [
        { release: "6.12.34+rpt-rpi-v8", usable: false },
        { release: "6.12.40+rpt-rpi-v8", usable: true },
      ],
      kernels: ["6.1.0-28-arm64", "6.12.40+rpt-rpi-2712", "6.12.40+rpt-rpi-v8"],
    });
  });

  it("are read again when a file has changed", async () => {
    const read = reader();
    await read();
    await writeFile(join(folder, "boot/firmware/kernel8.img"), gzipSync(kernel("6.12.41+rpt-rpi-v8")));
    assert.ok((await read()).kernels.includes("6.12.41+rpt-rpi-v8"));
  });

  it("are none in a system without either", async () => {
    const nowhere = createKernelReader({ modules: join(folder, "none"), boot: [join(folder, "none")] });
    assert.deepEqual(await nowhere(), { modules: [], kernels: [] });
  });
});
