import { createHash } from "node:crypto";
import { copyFile, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { Failure } from "../../proto/failure.ts";
import { cacheEntry, isCached } from "../artefacts/cache-entry.ts";
import {
  type ArchiveRequest,
  cachedVersions,
  type DebianArchive,
  openDebianArchive,
} from "../artefacts/debian-archive.ts";
import { runTool } from "../artefacts/run-tool.ts";
import { assertRequirements } from "../requirements/assert-requirements.ts";
import { planBootTreeBuild } from "./plan-requirements.ts";
import { renderEnvironment } from "./render-environment.ts";
import { sourceFiles, uBootDigest } from "./source-files.ts";
import { type TargetName, targets, type UBootTarget } from "./targets.ts";
import { unmetSettings } from "./unmet-settings.ts";

/** One U-Boot; its files are in the cache and are never written again. */
export interface UBoot {
  readonly target: TargetName;
  /** Version of Debian's source package. */
  readonly version: string;
  readonly binaryPath: string;
  /** The complete configuration that it was built with (.config). */
  readonly configPath: string;
  /** The environment that is compiled in. */
  readonly environmentPath: string;
}

/** The targets whose U-Boot is not in the cache, as far as we can tell without asking Debian. */
export async function uncachedTargets(
  names: readonly TargetName[],
  request: ArchiveRequest,
): Promise<readonly TargetName[]> {
  const version = (await cachedVersions(request))?.uBoot;
  if (version === undefined) return names;
  const cached = await Promise.all(
    names.map((name) => isCached(request.cacheDirectory, entryName(targets[name], version))),
  );
  return names.filter((_, index) => cached[index] !== true);
}

/**
 * The network-only U-Boot for a target, from the cache or built from Debian's source package, which takes half a
 * minute.
 *
 * Throws Failure "tool-failed" naming missing tools and the command that installs them, or what the build says, and
 * "cancelled".
 */
export async function provideUBoot(target: TargetName, request: ArchiveRequest): Promise<UBoot> {
  const missing = await uncachedTargets([target], request);
  await assertRequirements(
    planBootTreeBuild({ mirror: request.mirror, isFetched: missing.length === 0, uncachedTargets: missing }),
  );
  return provideUBootOf(await openDebianArchive(request), targets[target], request);
}

/** Like `provideUBoot`, of an archive that is open already. */
export async function provideUBootOf(
  archive: DebianArchive,
  target: UBootTarget,
  { cacheDirectory, log, signal }: Pick<ArchiveRequest, "cacheDirectory" | "log" | "signal">,
): Promise<UBoot> {
  const version = archive.versions.uBoot;
  const { fragment, environment } = ingredients(target);
  const folder = await cacheEntry(cacheDirectory, entryName(target, version), async (building) => {
    const source = await provideSource(archive, cacheDirectory);
    log(`building U-Boot ${version} for ${target.name}: ${target.about} (once, about half a minute)`);
    await build({ target, source, fragment, environment, folder: building, signal });
  });
  return {
    target: target.name,
    version,
    binaryPath: join(folder, "u-boot.bin"),
    configPath: join(folder, "config"),
    environmentPath: join(folder, "environment.txt"),
  };
}

function ingredients(target: UBootTarget): { readonly fragment: string; readonly environment: string } {
  return { fragment: sourceFiles["u-boot.config"] ?? "", environment: renderEnvironment(target) };
}

/** Name in the cache, with a key of everything that the result depends on. */
function entryName(target: UBootTarget, version: string): string {
  const { fragment, environment } = ingredients(target);
  const key = createHash("sha256")
    .update(JSON.stringify([uBootDigest, version, target.name, fragment, environment]))
    .digest("hex")
    .slice(0, 32);
  return `u-boot-${target.name}-${key}`;
}

async function provideSource(archive: DebianArchive, cacheDirectory: string): Promise<string> {
  const name = `u-boot-source-${archive.versions.uBoot}`;
  return join(await cacheEntry(cacheDirectory, name, (folder) => archive.unpackUBoot(folder)), "source");
}

async function build(options: {
  readonly target: UBootTarget;
  readonly source: string;
  readonly fragment: string;
  readonly environment: string;
  /** Gets u-boot.bin, config and environment.txt. */
  readonly folder: string;
  readonly signal: AbortSignal | undefined;
}): Promise<void> {
  const { target, source, fragment, environment, folder, signal } = options;
  const output = join(folder, "build");
  const config = join(output, ".config");
  await mkdir(output);
  await writeFile(join(folder, "fragment.config"), fragment);
  await writeFile(join(output, "environment.txt"), environment);
  const attempt = `U-Boot could not be built for ${target.name}`;
  const changelog = join(source, "debian/changelog");
  const timestamp = await runTool(attempt, ["dpkg-parsechangelog", "--file", changelog, "--show-field", "Timestamp"], {
    signal,
  });
  const env = {
    ARCH: "arm",
    CROSS_COMPILE: target.crossCompile,
    // The time of Debian's version instead of now, for reproducible builds.
    SOURCE_DATE_EPOCH: timestamp.trim(),
    KBUILD_BUILD_USER: "pallet",
    KBUILD_BUILD_HOST: "pallet",
    LC_ALL: "C",
  };
  const make = (...goals: string[]): Promise<string> =>
    runTool(attempt, ["make", "--silent", `O=${output}`, "NO_PYTHON=1", ...goals], { cwd: source, env, signal });
  await make(`${target.name}_defconfig`);
  const merge = [
    "scripts/kconfig/merge_config.sh",
    "-m",
    "-O",
    output,
    config,
    join(folder, "fragment.config"),
  ] as const;
  await runTool(attempt, merge, { cwd: source, env, signal });
  await make("olddefconfig");
  const unmet = unmetSettings(fragment, await readFile(config, "utf8"));
  if (unmet.length > 0)
    throw new Failure(
      "tool-failed",
      `${attempt}: its configuration did not accept ${unmet.join(", ")}; adapt u-boot.config`,
    );
  await make(`-j${availableParallelism()}`, "u-boot.bin");
  await copyFile(join(output, "u-boot.bin"), join(folder, "u-boot.bin"));
  await copyFile(config, join(folder, "config"));
  await copyFile(join(output, "environment.txt"), join(folder, "environment.txt"));
  await rm(output, { recursive: true });
  await rm(join(folder, "fragment.config"));
}
