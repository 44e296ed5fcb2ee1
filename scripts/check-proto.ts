import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { execa } from "../proto/linux/leashed-execa.ts";
import { generateCode } from "./generate-code.ts";

const local = { preferLocal: true, localDir: "." } as const;

/** Throws when proto/gen is not what `npm run generate` would make of proto/pallet now. */
export async function checkGeneratedCode(): Promise<void> {
  const fresh = await mkdtemp(path.join(tmpdir(), "pallet-generated-"));
  try {
    await generateCode(fresh);
    const stale = differences(await readTree(path.join(fresh, "gen")), await readTree("proto/gen"));
    if (stale.length > 0) {
      throw new Error(`proto/gen is stale: ${stale.join(", ")}\nrun: npm run generate, and commit the result`);
    }
  } finally {
    await rm(fresh, { recursive: true, force: true });
  }
}

/** Buf's STANDARD rules, and a comment on everything. */
export async function lintProtos(): Promise<void> {
  await execa("buf", ["lint"], { cwd: "proto", ...local });
}

/**
 * Compares the contracts with the last version on main that differs from the work tree, so that every change is
 * compared with what was published before it, whether it is committed already (as in CI) or not.
 * Returns the commit that it was compared with; undefined when there is none.
 */
export async function checkBreakingChanges(): Promise<string | undefined> {
  const base = await lastDifferentContract();
  if (base === undefined) return undefined;
  await execa("buf", ["breaking", "--against", `.git#ref=${base},subdir=proto`, "proto"], {
    ...local,
  });
  return base;
}

async function lastDifferentContract(): Promise<string | undefined> {
  const { stdout } = await execa("git", ["log", "--format=%H", "--", "proto/pallet"]);
  for (const commit of stdout.split("\n").filter((line) => line !== "")) {
    const { exitCode } = await execa("git", ["diff", "--quiet", commit, "--", "proto/pallet"], { reject: false });
    if (exitCode === 1) return commit;
    if (exitCode !== 0) throw new Error(`git diff ${commit} -- proto/pallet ended with exit code ${exitCode}`);
  }
  return undefined;
}

async function readTree(root: string): Promise<Map<string, string>> {
  const entries = await readdir(root, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => path.join(entry.parentPath, entry.name));
  return new Map(
    await Promise.all(files.map(async (file) => [path.relative(root, file), await readFile(file, "utf8")] as const)),
  );
}

function differences(expected: Map<string, string>, found: Map<string, string>): string[] {
  const names = new Set([...expected.keys(), ...found.keys()]);
  return [...names].filter((name) => expected.get(name) !== found.get(name)).sort();
}
