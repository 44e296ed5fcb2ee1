import { createHash } from "node:crypto";
import { constants, copyFile, mkdir, readFile, rename, rm, symlink, writeFile } from "node:fs/promises";
import path from "node:path";
import { cacheEntry } from "../../controller/artefacts/cache-entry.ts";
import { bundle } from "./bundle.ts";
import { type NativeModule, nativeModules, packNativeModule } from "./inline-native-modules.ts";
import { pack } from "./pack.ts";
import { type Places, packageFile, parseNodePackage, parsePinned } from "./pinned-package.ts";
import { type Architecture, architectures, binaryName, type Program, programs } from "./programs.ts";
import { stripElf } from "./strip-elf.ts";

/** A program for one architecture, as it is in the output folder. */
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
      addons: await readNativeModules(lockFile, architecture, places),
    })),
  );
  const nodes = bases.map(({ node }) => node);
  const recipe = JSON.stringify({
    nodes,
    pkg: parsePinned(lockFile, "@yao-pkg/pkg"),
    steps: await readTexts(stepFiles),
  });
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

/** Packed once for all programs and builds: that takes longer than the rest of all bundles (measured, 2.8 CPU-s). */
async function readNativeModules(
  lockFile: string,
  architecture: Architecture,
  places: Places,
): Promise<ReadonlyMap<NativeModule, string>> {
  const addons = new Map<NativeModule, string>();
  for (const addon of nativeModules) {
    const pinned = parsePinned(lockFile, addon.packageName(architecture));
    const content = await readFile(await packageFile(places, pinned, addon.file(architecture)));
    const key = sha256(content, ...(await readTexts(["inline-native-modules.ts"]))).slice(0, 32);
    const folder = await cacheEntry(
      places.cacheDirectory,
      `packed-${path.parse(addon.loadedBy).name}-${architecture}-${key}`,
      (building) => writeFile(path.join(building, "module.txt"), packNativeModule(content)),
    );
    addons.set(addon, await readFile(path.join(folder, "module.txt"), "utf8"));
  }
  return addons;
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

/** The steps between a bundle and a binary: with another text of theirs the same bundle may give another binary. */
const stepFiles = ["pack.ts", "strip-elf.ts"];

function readTexts(files: readonly string[]): Promise<string[]> {
  return Promise.all(files.map((file) => readFile(path.join(import.meta.dirname, file), "utf8")));
}

function sha256(...parts: readonly (string | Uint8Array)[]): string {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(part);
  return hash.digest("hex");
}
