import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { readFile, rename, rm } from "node:fs/promises";
import path from "node:path";
import { cacheEntry } from "../../controller/artefacts/cache-entry.ts";
import { execa } from "../../proto/linux/leashed-execa.ts";
import type { Architecture } from "./programs.ts";

/** A package of npm's registry, pinned by the lock file. */
export interface PinnedPackage {
  readonly name: string;
  /** Exact version; of a package that brings Node, Node's own. */
  readonly version: string;
  /** Subresource integrity of the package's archive: "sha512-" and base64. */
  readonly integrity: string;
}

/** What the text of package-lock.json says of Node for an architecture. Throws when it does not pin it. */
export function parseNodePackage(lockFile: string, architecture: Architecture): PinnedPackage {
  return parsePinned(lockFile, `node-linux-${architecture}`);
}

/** What the text of package-lock.json pins of a package at the top of node_modules/. Throws when it does not. */
export function parsePinned(lockFile: string, name: string): PinnedPackage {
  const { packages } = JSON.parse(lockFile) as { packages?: Record<string, { version?: string; integrity?: string }> };
  const { version, integrity } = packages?.[`node_modules/${name}`] ?? {};
  if (version === undefined || integrity?.startsWith("sha512-") !== true) {
    throw new Error(`package-lock.json does not pin ${name} by version and sha512`);
  }
  return { name, version, integrity };
}

/**
 * Path of a file of that package, copied out of it where the package is not installed. What is for the build machine
 * was installed by npm, which checked it against the lock file; npm leaves out what is for another architecture, so
 * that is fetched once, checked here, and kept in the cache.
 */
export async function packageFile(places: Places, wanted: PinnedPackage, file: string): Promise<string> {
  const installed = path.join(places.modulesDirectory, wanted.name);
  if ((await installedVersion(installed)) === wanted.version) return path.join(installed, file);
  const archiveName = `${wanted.name.replace(/^@/, "").replaceAll("/", "-")}-${wanted.version}`;
  const folder = await cacheEntry(places.cacheDirectory, archiveName, async (building) => {
    const specifier = `${wanted.name}@${wanted.version}`;
    await execa("npm", ["pack", specifier, "--loglevel=error", "--pack-destination", building]);
    const archive = path.join(building, `${archiveName}.tgz`);
    const integrity = await sha512Of(archive);
    if (integrity !== wanted.integrity) {
      throw new Error(
        `${specifier} from npm's registry is not what package-lock.json pins: ${integrity}, not ${wanted.integrity}`,
      );
    }
    await execa("tar", ["--extract", "--file", archive, "--directory", building, `package/${file}`]);
    await rename(path.join(building, `package/${file}`), path.join(building, path.basename(file)));
    await Promise.all([archive, path.join(building, "package")].map((left) => rm(left, { recursive: true })));
  });
  return path.join(folder, path.basename(file));
}

export interface Places {
  readonly modulesDirectory: string;
  readonly cacheDirectory: string;
}

async function installedVersion(folder: string): Promise<string | undefined> {
  try {
    return (JSON.parse(await readFile(path.join(folder, "package.json"), "utf8")) as { version?: string }).version;
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
    throw error;
  }
}

async function sha512Of(file: string): Promise<string> {
  const hash = createHash("sha512");
  for await (const chunk of createReadStream(file)) hash.update(chunk as Uint8Array);
  return `sha512-${hash.digest("base64")}`;
}
