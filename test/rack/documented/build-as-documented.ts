import { createHash } from "node:crypto";
import { mkdir } from "node:fs/promises";
import path from "node:path";
import { cacheEntry } from "../../../controller/artefacts/cache-entry.ts";
import { createScratchFolder } from "../scratch-folder.ts";
import { createMachineMounts } from "./machine-mounts.ts";
import { readBlock } from "./read-documentation.ts";

/**
 * Runs the documentation's block "build" on a machine of its own and returns what /var/lib/pallet has afterwards; out
 * of the cache when neither the block nor the programs have changed.
 *
 * @param programs digests of the binaries in dist/
 */
export async function buildAsDocumented(options: {
  readonly programs: readonly string[];
  readonly cacheDirectory: string;
  readonly log: (line: string) => void;
  readonly signal?: AbortSignal | undefined;
}): Promise<string> {
  const { programs, cacheDirectory, log, signal } = options;
  const { text } = await readBlock("build");
  const key = createHash("sha256")
    .update(JSON.stringify([text, programs]))
    .digest("hex");
  const places = path.join(cacheDirectory, "documented");
  const folder = await cacheEntry(places, `built-${key.slice(0, 32)}`, async (building) => {
    for (const line of text.trimEnd().split("\n")) log(line);
    const scratch = await createScratchFolder("pallet-build-");
    const state = path.join(building, "state");
    const [run, hidden] = [path.join(scratch.path, "run"), path.join(scratch.path, "private")];
    for (const place of [state, run, hidden]) await mkdir(place);
    const machine = await createMachineMounts({ state, cache: cacheDirectory, run, private: hidden });
    try {
      await machine.runBlock(text, { signal });
    } finally {
      await machine.close();
      await scratch.remove();
    }
  });
  return path.join(folder, "state");
}
