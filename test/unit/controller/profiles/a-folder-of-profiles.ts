import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { TestContext } from "node:test";

/** A folder with these files, by their paths in it; what begins with "secret" is its owner's alone. Removed after the test. */
export async function aFolderOfProfiles(test: TestContext, files: Readonly<Record<string, string>>): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), "pallet-profiles-"));
  test.after(() => rm(directory, { recursive: true }));
  for (const [name, text] of Object.entries(files)) {
    const path = join(directory, name);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, text, { mode: name.startsWith("secret") ? 0o600 : 0o644 });
  }
  return directory;
}
