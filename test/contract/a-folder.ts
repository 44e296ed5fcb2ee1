import { mkdtemp, rm } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import type { TestContext } from "node:test";

/** A new folder that goes away after the test. */
export async function aFolder(test: TestContext): Promise<string> {
  const folder = await mkdtemp(path.join(os.tmpdir(), "pallet-contract-"));
  test.after(() => rm(folder, { recursive: true, force: true }));
  return folder;
}
