import { chmod, readFile, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import path from "node:path";
import process from "node:process";
import { cacheEntry } from "../../controller/artefacts/cache-entry.ts";
import { digestSources } from "../../proto/digest-sources.ts";
import { bundle } from "../../scripts/binaries/bundle.ts";
import { nativeModules, packNativeModule } from "../../scripts/binaries/inline-native-modules.ts";
import { type Architecture, type Program, programs } from "../../scripts/binaries/programs.ts";
import { checkout } from "./checkout.ts";

/** The paths of both programs, in this checkout. */
export type BundledPrograms = Readonly<Record<Program["name"], string>>;

let provided: Promise<BundledPrograms> | undefined;

/**
 * Agent and controller of this checkout as one script each, the one that the binaries carry, for Node to run. A rack
 * starts them a hundred times, and to find, read and link a thousand modules is most of what a start from source takes
 * (measured: agent 1.8 CPU-s, controller 1.5 and 2.7 without compiled modules; bundled 0.45 and 0.65). They lie in the
 * checkout, so that they are there wherever it is mounted.
 */
export function bundledPrograms(): Promise<BundledPrograms> {
  provided ??= provide();
  return provided;
}

async function provide(): Promise<BundledPrograms> {
  const key = digestSources(checkout, ["agent", "controller", "proto", "scripts/binaries", "test/programs"]);
  const folder = await cacheEntry(path.join(checkout, "node_modules/.cache/pallet"), `programs-${key}`, build);
  const file = (name: Program["name"]) => path.join(folder, `${name}.cjs`);
  return { agent: file("agent"), controller: file("controller") };
}

async function build(folder: string): Promise<void> {
  // Some run as users of their own.
  await chmod(folder, 0o755);
  const architecture = process.arch as Architecture;
  const { resolve } = createRequire(import.meta.url);
  const addons = new Map(
    await Promise.all(
      nativeModules.map(async (module) => {
        const content = await readFile(resolve(`${module.packageName(architecture)}/${module.file(architecture)}`));
        return [module, packNativeModule(content, 1)] as const;
      }),
    ),
  );
  for (const program of programs) {
    await writeFile(
      path.join(folder, `${program.name}.cjs`),
      await bundle(checkout, program, { addons, readable: true }),
    );
  }
}
