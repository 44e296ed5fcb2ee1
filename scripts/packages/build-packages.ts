import { mkdir, mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import path from "node:path";
import { gzipSync } from "node:zlib";
import { defaultMirror, defaultSuite } from "../../controller/artefacts/debian-defaults.ts";
import { buildBootTree } from "../../controller/boot-tree/build-boot-tree.ts";
import { targetNames } from "../../controller/boot-tree/targets.ts";
import { shareFiles } from "../../controller/cli/share-files.ts";
import { buildRootfs } from "../../controller/rootfs/build-rootfs.ts";
import { type Binary, buildBinaries } from "../binaries/build-binaries.ts";
import { buildDeb } from "./build-deb.ts";
import { planControllerRelations } from "./controller-needs.ts";
import { planControllerPackage } from "./controller-package.ts";
import { type DebianArchitecture, debianArchitectures, type PackagedFile } from "./debian-package.ts";
import { gatherDependencies } from "./gather-dependencies.ts";
import { packRootfs } from "./pack-rootfs.ts";
import { renderPackageVersion } from "./package-version.ts";
import { collectUnits } from "./packaged-units.ts";
import { planRackPackage } from "./rack-package.ts";
import { readBundled, readNodeLicence } from "./read-bundled.ts";
import { readCommit } from "./read-commit.ts";
import { maintainer } from "./render-control.ts";
import { type Bundled, renderChangelog, renderCopyright } from "./render-documents.ts";

/** What packages to build, and where. */
export interface PackagesRequest {
  /** Top of the tree, with its npm packages installed. */
  readonly repository: string;
  readonly outDirectory: string;
  /** With one folder for each kind of artefact; may be shared by builds that run at the same time. */
  readonly cacheDirectory: string;
  /** Of the controller; default all. */
  readonly architectures?: readonly DebianArchitecture[];
  /** Fetch what a minimal Debian of this architecture lacks, too. */
  readonly withDependencies?: DebianArchitecture;
  readonly log: (line: string) => void;
}

/** Node's words for Debian's. */
const nodeArchitectures = { amd64: "x64", arm64: "arm64" } as const;

/**
 * Builds the Debian packages of this commit, and returns their paths. Needs root, as what boards boot has files of
 * other owners. What has not changed since the last time comes out of the cache.
 */
export async function buildPackages(request: PackagesRequest): Promise<readonly string[]> {
  const { repository, cacheDirectory, architectures = debianArchitectures, log } = request;
  const outDirectory = path.resolve(request.outDirectory);
  const commit = await readCommit(repository);
  const { version: release } = JSON.parse(await readFile(path.join(repository, "package.json"), "utf8"));
  const version = renderPackageVersion(release, commit);
  const epoch = commit.committedAt;
  await mkdir(outDirectory, { recursive: true });
  const work = await mkdtemp(path.join(outDirectory, ".work-"));
  try {
    log("building the programs");
    const binaries = await buildBinaries({
      repository,
      outputDirectory: path.join(work, "programs"),
      cacheDirectory: path.join(cacheDirectory, "binaries"),
    });
    const texts = await readTexts();
    const built: string[] = [];
    const units = await collectUnits(repository);
    const changelog = compressed(renderChangelog(version, commit, maintainer));
    const shared = await collectShared(repository, { version, epoch });
    const config = await readFile(path.join(repository, "controller/setup/files/pallet.yaml"), "utf8");
    for (const architecture of architectures) {
      log(`packing pallet-controller for ${architecture}`);
      const program = programFor(binaries, "controller", architecture);
      const parts = { version, architecture, program, units, shared, changelog, config, texts };
      built.push(await buildDeb(planControllerPackage(parts), { outDirectory, epoch }));
    }
    log("building what boards boot");
    const { bundled, ...rack } = await buildRack(work, {
      ...request,
      epoch,
      version,
      agentFile: programFor(binaries, "agent", "arm64"),
    });
    log("packing pallet-rack");
    const copyright = renderCopyright(rackIntroduction, [...bundled, ...(await readBundled(repository))]);
    built.push(
      await buildDeb(planRackPackage({ version, ...rack, copyright, changelog, texts }), { outDirectory, epoch }),
    );
    if (request.withDependencies !== undefined) {
      const architecture = request.withDependencies;
      log("fetching what a minimal Debian lacks");
      const debian = { suite: defaultSuite, mirror: defaultMirror };
      const workDirectory = path.join(work, "apt");
      const gathered = await gatherDependencies(planControllerRelations(), {
        ...debian,
        ...{ architecture, workDirectory, outDirectory, log },
      });
      built.push(...gathered.map((name) => path.join(outDirectory, name)));
    }
    return built;
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

function programFor(binaries: readonly Binary[], program: Binary["program"], architecture: DebianArchitecture): string {
  const wanted = nodeArchitectures[architecture];
  const binary = binaries.find((each) => each.program === program && each.architecture === wanted);
  if (binary === undefined) throw new Error(`there is no ${program} for ${architecture}`);
  return binary.file;
}

async function buildRack(
  work: string,
  {
    cacheDirectory,
    log,
    agentFile,
    epoch,
    version,
  }: PackagesRequest & { readonly agentFile: string; readonly epoch: number; readonly version: string },
): Promise<{
  readonly rootfs: string;
  readonly bootTree: ReadonlyMap<string, string>;
  readonly bundled: readonly Bundled[];
}> {
  const archive = { suite: defaultSuite, mirror: defaultMirror, refresh: false, log };
  const built = await buildRootfs({
    ...archive,
    agentFile,
    outDirectory: path.join(work, "rootfs"),
    cacheDirectory: path.join(cacheDirectory, "rootfs"),
  });
  const rootfs = path.join(work, "rootfs.tar.zst");
  await packRootfs(built, { archive: rootfs, packageName: `pallet-rack ${version}`, epoch });
  const bootFolder = path.join(work, "boot");
  // The agent's kernel is in the root filesystem already.
  const { manifest } = await buildBootTree({
    ...archive,
    outDirectory: bootFolder,
    cacheDirectory: path.join(cacheDirectory, "boot-tree"),
    targets: targetNames,
    rootfsDirectory: undefined,
    overwrite: false,
  });
  const names = [...Object.keys(manifest.files), "manifest.json"];
  const debian = {
    ...built.manifest.packages,
    "u-boot": manifest.versions.uBoot,
    "raspi-firmware": manifest.versions.firmware,
  };
  const bundled = Object.entries(debian).map(([name, version]) => ({ name, version, licence: "Debian's package" }));
  return { rootfs, bootTree: new Map(names.map((name) => [name, path.join(bootFolder, name)])), bundled };
}

/** The manual, completions of shells and the documentation, as Debian wants them. */
async function collectShared(
  repository: string,
  { version, epoch }: { readonly version: string; readonly epoch: number },
): Promise<readonly PackagedFile[]> {
  const day = new Date(epoch * 1000).toISOString().slice(0, 10);
  const shared = [...shareFiles({ version, date: day })].map(([file, text]): PackagedFile => {
    if (!file.startsWith("man/")) return { path: `/usr/share/${file}`, content: { text } };
    return { path: `/usr/share/${file}.gz`, content: { bytes: compressed(text) } };
  });
  const folder = "/usr/share/doc/pallet-controller";
  const copyright = renderCopyright(controllerIntroduction, await readBundled(repository));
  return [
    ...shared,
    { path: `${folder}/README.md`, content: { file: path.join(repository, "controller/README.md") } },
    { path: `${folder}/copyright`, content: { text: copyright } },
    { path: `${folder}/LICENSE.node.gz`, content: { bytes: compressed(await readNodeLicence(repository)) } },
  ];
}

const controllerIntroduction = "In /usr/bin/controller are also, all under licences of their own:";

const rackIntroduction = [
  "In what the boards boot are also Debian's packages, unchanged but for files that were left out. Their licences",
  "and sources: https://sources.debian.org/src/NAME/VERSION/, and https://snapshot.debian.org for those that newer",
  "ones have replaced. And in the agent, as in the package pallet-controller, all under licences of their own:",
].join("\n");

/** As `gzip -9n` does it: without a time. */
function compressed(text: string): Uint8Array {
  return gzipSync(text, { level: 9 });
}

/** Maintainer scripts and overrides of lintian, by file name. */
async function readTexts(): Promise<Readonly<Record<string, string>>> {
  const folder = path.join(import.meta.dirname, "files");
  const names = await readdir(folder);
  return Object.fromEntries(
    await Promise.all(names.map(async (name) => [name, await readFile(path.join(folder, name), "utf8")] as const)),
  );
}
