// Where the test of something is looked for: in the folder of test/unit/ that is called as the folder of what is
// tested.
import assert from "node:assert/strict";
import { existsSync, globSync } from "node:fs";
import path from "node:path";
import { describe, it } from "node:test";

const top = path.resolve(import.meta.dirname, "../..");

/**
 * Folders of test/unit/ with tests in them, without a folder of that name at the top; what tests use themselves is in
 * test/.
 */
function strayFolders(testFiles: readonly string[], exists: (folder: string) => boolean): string[] {
  const folders = new Set(testFiles.map((file) => path.dirname(path.relative("test/unit", file))));
  return [...folders].filter((folder) => !exists(folder) && !exists(path.join("test", folder)));
}

describe("the folders of test/unit", () => {
  it("mirror those of what is tested", () => {
    const files = globSync("test/unit/**/*.test.ts", { cwd: top });
    assert.ok(files.length > 100, "no tests were found");
    assert.deepEqual(
      strayFolders(files, (folder) => existsSync(path.join(top, folder))),
      [],
      "move them to test/unit/FOLDER, where FOLDER is that of the tested files, or of the support in test/",
    );
  });

  it("would be noticed where they do not", () => {
    const exists = (folder: string) => ["agent/disk", "test/rack", "."].includes(folder);
    const files = ["agent/disk/guard", "rack/card", "one-page", "agent/old-room/guard"];
    assert.deepEqual(
      strayFolders(
        files.map((file) => `test/unit/${file}.test.ts`),
        exists,
      ),
      ["agent/old-room"],
    );
  });
});
