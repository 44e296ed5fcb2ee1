import assert from "node:assert/strict";
import { chmod, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import process from "node:process";
import { it } from "node:test";
import { compressAgent } from "../../../../controller/rootfs/compress-agent.ts";

it("compresses an agent into the same bytes, whatever its mode and the umask", async () => {
  const folder = await mkdtemp(path.join(tmpdir(), "pallet-agent-"));
  const usual = process.umask();
  try {
    const agentFile = path.join(folder, "agent");
    await writeFile(agentFile, "an agent\n");
    const made: Buffer[] = [];
    for (const [mode, umask] of [
      [0o755, 0o022],
      [0o700, 0o077],
    ] as const) {
      await chmod(agentFile, mode);
      process.umask(umask);
      const cacheDirectory = path.join(folder, mode.toString(8));
      made.push(await readFile(await compressAgent({ agentFile, digest: "0", cacheDirectory, log: () => undefined })));
    }
    assert.deepEqual(made[0], made[1]);
  } finally {
    process.umask(usual);
    await rm(folder, { recursive: true });
  }
});
