import { createHash } from "node:crypto";
import { constants, copyFile, mkdir, readdir, readFile, rename, rm, stat, symlink, writeFile } from "node:fs/promises";
import path from "node:path";
import { cacheEntry } from "../../controller/artefacts/cache-entry.ts";
import { bundle } from "./bundle.ts";
import { pack } from "./pack.ts";
import { packageFile, parseBlake3Package, parseNodePackage, parsePinned } from "./pinned-package.ts";
import { type Architecture, architectures, binaryName, type Program, programs } from "./programs.ts";
import { stripElf } from "./strip-elf.ts";

/** A program for one architecture, as it lies in the output folder. */
export interface Binary {
  readonly program: Program["name"];
  readonly architecture: Architecture;
  readonly file: string;
  readonly bytes: number;
  /** SHA-256 of the file, in hexadecimal. */
  readonly digest: string;
}

/**
 * Makes every program for every architecture: `<name>-linux-<architecture>` in the output folder, and `<name>` as a
 * link to the one for this machine. What has not changed since the last time comes out of the cache.
 */
export async function buildBinaries(options: {
  /** Top of the tree, with its npm packages installed. */
  readonly repository: string;
  readonly outputDirectory: string;
  /** Is made when it is not there. May be shared by builds that run at the same time. */
  readonly cacheDirectory: string;
}): Promise<readonly Binary[]> {
  const { repository, outputDirectory, cacheDirectory } = options;
  const lockFile = await readFile(path.join(repository, "package-lock.json"), "utf8");
  const places = { modulesDirectory: path.join(repository, "node_modules"), cacheDirectory };
  const bases = await Promise.all(
    architectures.map(async (architecture) => ({
      architecture,
      node: parseNodePackage(lockFile, architecture),
      blake3Addon: await readFile(
        await packageFile(places, parseBlake3Package(lockFile, architecture), `blake.linux-${architecture}-gnu.node`),
      ),
    })),
  );
  const nodes = bases.map(({ node }) => node);
  const recipe = JSON.stringify({ nodes, pkg: parsePinned(lockFile, "@yao-pkg/pkg"), steps: await readSteps() });
  await mkdir(outputDirectory, { recursive: true });

  const binaries: Binary[] = [];
  for (const program of programs) {
    const scripts = await Promise.all(
      bases.map(async (base) => ({ ...base, script: await bundle(repository, program, base) })),
    );
    const key = sha256(recipe, ...scripts.map(({ script }) => script)).slice(0, 32);
    const folder = await cacheEntry(cacheDirectory, `${program.name}-${key}`, async (building) => {
      for (const { architecture, node, script } of scripts) {
        const base = path.join(building, "node");
        const nodeFile = await packageFile(places, node, "bin/node");
        await writeFile(base, stripElf(await readFile(nodeFile)), { mode: 0o755 });
        const binary = await pack({ name: `pallet-${program.name}`, script }, { architecture, node, file: base });
        await writeFile(path.join(building, binaryName(program, architecture)), binary, { mode: 0o755 });
        await rm(base);
      }
    });
    await forgetOldest(cacheDirectory, program);
    for (const architecture of architectures) {
      const file = path.join(outputDirectory, binaryName(program, architecture));
      await place(path.join(folder, path.basename(file)), file);
      const content = await readFile(file);
      binaries.push({ program: program.name, architecture, file, bytes: content.byteLength, digest: sha256(content) });
    }
    await linkTo(`${program.name}-linux-${process.arch}`, path.join(outputDirectory, program.name));
  }
  return binaries;
}

/** Binaries of earlier sources that are kept for each program: to go back and forth between two states is common. */
const KEPT = 2;

/** Removes the entries of a program that were made longest ago: one is 200 MB. */
async function forgetOldest(cacheDirectory: string, program: Program): Promise<void> {
  const names = (await readdir(cacheDirectory)).filter((name) => name.startsWith(`${program.name}-`));
  const entries: { readonly folder: string; readonly madeAt: number }[] = [];
  for (const name of names) {
    const folder = path.join(cacheDirectory, name);
    // Another build may be forgetting the same ones.
    const found = await stat(folder).catch(() => undefined);
    if (found !== undefined) entries.push({ folder, madeAt: found.mtimeMs });
  }
  entries.sort((a, b) => b.madeAt - a.madeAt);
  await Promise.all(entries.slice(KEPT).map(({ folder }) => rm(folder, { recursive: true, force: true })));
}

/** Copies under a temporary name first: a program that runs cannot be written over, but its name can be taken. */
async function place(source: string, target: string): Promise<void> {
  const unfinished = `${target}.${process.pid}`;
  await copyFile(source, unfinished, constants.COPYFILE_FICLONE);
  await rename(unfinished, target);
}

async function linkTo(name: string, target: string): Promise<void> {
  const unfinished = `${target}.${process.pid}`;
  await symlink(name, unfinished);
  await rename(unfinished, target);
}

/** The text of the steps between a bundle and a binary: with another text the same bundle may give another binary. */
async function readSteps(): Promise<string[]> {
  const files = ["pack.ts", "strip-elf.ts"];
  return Promise.all(files.map((file) => readFile(path.join(import.meta.dirname, file), "utf8")));
}

function sha256(...parts: readonly (string | Uint8Array)[]): string {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(part);
  return hash.digest("hex");
}
