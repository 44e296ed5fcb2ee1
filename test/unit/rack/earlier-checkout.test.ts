import assert from "node:assert/strict";
import { readdir } from "node:fs/promises";
import path from "node:path";
import { it } from "node:test";
import { execa } from "execa";
import { checkout } from "../../programs/checkout.ts";
import { earlierCommit, unpackEarlier } from "../../rack/earlier-checkout.ts";
import { createScratchFolder } from "../../rack/scratch-folder.ts";

it("the programs of the earlier commit are those of the history, where a clone has one", async (test) => {
  const git = { cwd: checkout, reject: false } as const;
  const tree = await execa(
    "git",
    ["ls-tree", "-r", earlierCommit, "agent", "controller", "proto", "package.json"],
    git,
  );
  // A shallow clone, or a copy without git, has nothing to compare with.
  if (tree.exitCode !== 0) return test.diagnostic(`this clone does not reach back to ${earlierCommit}`);
  const scratch = await createScratchFolder("pallet-earlier-");
  test.after(scratch.remove);
  const folder = await unpackEarlier(scratch.path, "mountpoint");
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries
    .filter((entry) => entry.isFile())
    .map((entry) => path.relative(folder, path.join(entry.parentPath, entry.name)))
    .sort();
  const { stdout } = await execa("git", ["hash-object", "--no-filters", "--stdin-paths"], {
    cwd: folder,
    input: files.join("\n"),
    env: { GIT_DIR: (await execa("git", ["rev-parse", "--absolute-git-dir"], git)).stdout },
  });
  const found = stdout.split("\n").map((blob, index) => `${blob} ${files[index]}`);
  const wanted = tree.stdout
    .split("\n")
    .map((line) => line.replace(/^\d+ blob (\S+)\t/, "$1 "))
    .filter((line) => !line.endsWith(".md"));
  assert.deepEqual(found.sort(), wanted.sort());
});
