import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { describe, it } from "node:test";
import { requireTools } from "../../../../controller/boot-tree/build-tools.ts";

describe("tools of a build", () => {
  it("that are missing are named all at once, with the command that installs them", async () => {
    const folder = await mkdtemp(path.join(os.tmpdir(), "pallet-tools-"));
    try {
      await writeFile(path.join(folder, "make"), "", { mode: 0o755 });
      await writeFile(path.join(folder, "bison"), "", { mode: 0o644 });
      const tools = [
        { program: "make", package: "make" },
        { program: "bison", package: "bison" },
        { program: "aarch64-linux-gnu-gcc", package: "gcc-aarch64-linux-gnu" },
        { file: path.join(folder, "evp.h"), package: "libssl-dev" },
      ];
      await assert.rejects(requireTools(tools, folder), {
        message: `this machine lacks bison, aarch64-linux-gnu-gcc, ${folder}/evp.h; install with: apt-get install bison gcc-aarch64-linux-gnu libssl-dev`,
      });
      await requireTools(tools.slice(0, 1), `/nowhere:${folder}`);
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});
