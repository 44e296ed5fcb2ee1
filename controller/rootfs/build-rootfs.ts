import { createHash } from "node:crypto";
import { chmod, copyFile, cp, mkdir, readFile, writeFile } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { Failure } from "../../proto/failure.ts";
import { execa } from "../../proto/linux/leashed-execa.ts";
import { agentPrograms } from "../../proto/system/agent-program.ts";
import { defaultMirror, defaultSuite } from "../artefacts/debian-defaults.ts";
import { assertRequirements } from "../requirements/assert-requirements.ts";
import type { Requirements } from "../requirements/requirements.ts";
import { changeRoots } from "../roots/change-roots.ts";
import { type Root, readCurrentRoot, readRoots } from "../roots/read-roots.ts";
import type { RootId } from "../roots/root-id.ts";
import { type BackportsKernel, isBackportsKernelCached, provideBackportsKernel } from "./backports-kernel.ts";
import { type BaseSystem, isBaseSystemCached, provideBaseSystem } from "./base-system.ts";
import { checkAgent } from "./check-agent.ts";
import { compressAgent, isAgentCompressed } from "./compress-agent.ts";
import { moduleReleases } from "./copy-foreign-modules.ts";
import { checkAuthorizedKeys } from "./parse-authorized-keys.ts";
import { planRootfsBuild } from "./plan-requirements.ts";
import { renderInittab } from "./render-inittab.ts";
import { rootTree } from "./root-tree.ts";
import {
  type BuiltFile,
  describeFile,
  measureRoot,
  type NetbootManifest,
  type SecondKernel,
} from "./rootfs-manifest.ts";

/** What root filesystem to build, and where. */
export interface RootfsRequest {
  /**
   * The store that gets the new version: a folder with `root/`, `vmlinuz`, `initrd.img`, `device-trees/` and
   * `manifest.json`, and `backports/` with a second kernel and initrd if asked for. Made when it does not exist.
   */
  readonly outDirectory: string;
  /** For what Debian gives, so that it is fetched once. */
  readonly cacheDirectory: string;
  /** The agent: a program for arm64 Linux. */
  readonly agentFile: string;
  /** Public keys (authorized_keys of sshd(8)) that may log in as root; no ssh server without. */
  readonly sshKeysFile?: string | undefined;
  /** A root shell on the console for anyone with physical access; default none. */
  readonly consoleShell?: boolean;
  /** Add the kernel of trixie-backports, for boards that the suite's own does not know. Default false. */
  readonly backports?: boolean;
  readonly suite?: string;
  readonly mirror?: string;
  /** Fetch Debian's packages again. */
  readonly refresh?: boolean;
  readonly log?: (line: string) => void;
  readonly signal?: AbortSignal | undefined;
}

/** What `manifest.json` says. */
export interface RootfsManifest extends NetbootManifest {
  readonly madeBy: "rootfs build";
  readonly suite: string;
  readonly agent: BuiltFile;
  /** How many public keys may log in. */
  readonly sshKeys: number;
  readonly consoleShell: boolean;
  /** The second kernel; absent where there is none. */
  readonly backports?: SecondKernel;
  /** Versions of Debian's packages by name. */
  readonly packages: Readonly<Record<string, string>>;
}

/** A finished root filesystem. */
export interface Rootfs {
  readonly id: RootId;
  /** Everything of this version. */
  readonly folder: string;
  /** To be exported read-only by NFS. */
  readonly rootFolder: string;
  readonly kernelPath: string;
  readonly initrdPath: string;
  readonly manifest: RootfsManifest;
  /** False when all of it was there already. */
  readonly changed: boolean;
}

/** What the build requires on this machine; less if the cache already has parts of it. */
export async function rootfsBuildRequirements(request: RootfsRequest): Promise<Requirements> {
  const { agentFile, backports = false, suite = defaultSuite, mirror = defaultMirror, refresh = false } = request;
  const cacheDirectory = resolve(request.cacheDirectory);
  // An agent that cannot be read is refused later, with a message of its own.
  const agent = await describeFile(agentFile).catch(() => undefined);
  return {
    ...planRootfsBuild({
      mirror,
      isBaseCached: await isBaseSystemCached({ cacheDirectory, suite, mirror, refresh }),
      isKernelCached: !backports || (await isBackportsKernelCached({ cacheDirectory, suite, mirror, refresh })),
      isAgentCompressed: agent !== undefined && (await isAgentCompressed(cacheDirectory, agent.digest)),
    }),
    writes: [resolve(request.outDirectory), cacheDirectory],
  };
}

/**
 * Builds the root filesystem that netbooted nodes share, with its kernel and initrd, as a new version in the store, and
 * has new boots get it; or finds that it is there already, which takes no time. Nodes that run from an older one keep
 * it. However this ends, what new boots get is a whole version.
 *
 * Throws a Failure: `invalid` for a bad agent, bad keys or missing rights, `in-use` while another process changes the
 * store, `device-error` for a full disk, `tool-failed` also for missing tools, `cancelled`.
 */
export async function buildRootfs(request: RootfsRequest): Promise<Rootfs> {
  const { suite = defaultSuite, mirror = defaultMirror, refresh = false, log = () => {}, signal } = request;
  const outDirectory = resolve(request.outDirectory);
  await assertRequirements(await rootfsBuildRequirements(request), { canInstall: true });
  await checkAgent(request.agentFile);
  const sshKeys = request.sshKeysFile === undefined ? [] : await readKeys(request.sshKeysFile);
  const archive = { cacheDirectory: resolve(request.cacheDirectory), suite, mirror, refresh, log, signal };
  const base = await provideBaseSystem(archive);
  const second = request.backports === true ? await provideBackportsKernel(archive) : undefined;
  const baseModules = await moduleReleases(rootTree(base.rootFolder));
  const kernelRelease = baseModules[0] ?? "unknown";
  const manifest: Omit<RootfsManifest, "root"> = {
    madeBy: "rootfs build",
    suite,
    kernelRelease,
    rootModules: second === undefined ? baseModules : [...baseModules, second.release],
    initrdModules: kernelRelease,
    kernel: await describeFile(base.kernelPath),
    initrd: await describeFile(base.initrdPath),
    agent: await describeFile(request.agentFile),
    sshKeys: sshKeys.length,
    consoleShell: request.consoleShell ?? false,
    ...(second !== undefined && { backports: await describeSecond(second) }),
    packages: await readVersions(base.packageVersionsPath),
  };
  const compressedAgent = await compressAgent({
    agentFile: request.agentFile,
    digest: manifest.agent.digest,
    cacheDirectory: resolve(request.cacheDirectory),
    log,
    signal,
  });
  // By its name, not by its path: on every machine the same.
  const key = digestOf([basename(dirname(base.rootFolder)), manifest, sshKeys]);

  const present = await readCurrentRoot(outDirectory);
  if (!refresh && present?.manifest.key === key) return { ...(await rootfsOf(present)), changed: false };

  return changeRoots(outDirectory, async (roots) => {
    const same = refresh ? undefined : (await readRoots(outDirectory)).findLast((root) => root.manifest.key === key);
    if (same !== undefined) {
      await roots.use(same.id);
      return { ...(await rootfsOf(same)), changed: true };
    }
    log(`assembling the root filesystem in ${outDirectory}`);
    const made = await roots.add(async ({ version }) => {
      const root = join(version, "root");
      await assembleRoot(root, base, { ...request, sshKeys, compressedAgent, second });
      await copyFile(base.kernelPath, join(version, "vmlinuz"));
      await copyFile(base.initrdPath, join(version, "initrd.img"));
      await cp(base.deviceTreesFolder, join(version, "device-trees"), { recursive: true });
      if (second !== undefined) await addSecondKernel(version, second);
      const complete: RootfsManifest = { ...manifest, root: await measureRoot(root) };
      await writeFile(join(version, "manifest.json"), `${JSON.stringify({ key, ...complete }, null, 2)}\n`);
      signal?.throwIfAborted();
    });
    await roots.use(made.id);
    return { ...(await rootfsOf(made)), changed: true };
  });
}

async function rootfsOf({ id, folder, rootFolder }: Root): Promise<Omit<Rootfs, "changed">> {
  const { key: _, ...manifest } = JSON.parse(await readFile(join(folder, "manifest.json"), "utf8"));
  const paths = { kernelPath: join(folder, "vmlinuz"), initrdPath: join(folder, "initrd.img") };
  return { id, folder, rootFolder, ...paths, manifest: manifest as RootfsManifest };
}

async function assembleRoot(
  root: string,
  base: BaseSystem,
  {
    agentFile,
    compressedAgent,
    sshKeys,
    consoleShell = false,
    second,
    signal,
  }: RootfsRequest & {
    readonly sshKeys: readonly string[];
    readonly compressedAgent: string;
    readonly second: BackportsKernel | undefined;
  },
): Promise<void> {
  // A copy, never hard links: what is exported may be changed by people, the cache may not.
  await execa(
    "cp",
    ["--archive", "--reflink=auto", base.rootFolder, root],
    signal === undefined ? {} : { cancelSignal: signal },
  );
  if (second !== undefined)
    await cp(join(second.modulesBase, "lib/modules"), join(root, "usr/lib/modules"), { recursive: true });
  await copyFile(agentFile, join(root, agentPrograms.netboot));
  await chmod(join(root, agentPrograms.netboot), 0o755);
  await mkdir(join(root, "usr/lib/pallet/agent"));
  await copyFile(compressedAgent, join(root, "usr/lib/pallet/agent.squashfs"));
  await writeFile(join(root, "etc/inittab"), renderInittab({ ssh: sshKeys.length > 0, consoleShell }), { mode: 0o644 });
  if (sshKeys.length === 0) return;
  await chmod(join(root, "root"), 0o700);
  await mkdir(join(root, "root/.ssh"), { mode: 0o700 });
  await writeFile(join(root, "root/.ssh/authorized_keys"), `${sshKeys.join("\n")}\n`, { mode: 0o600 });
}

async function describeSecond({ release, kernelPath, initrdPath }: BackportsKernel): Promise<SecondKernel> {
  return { kernelRelease: release, kernel: await describeFile(kernelPath), initrd: await describeFile(initrdPath) };
}

/** The device trees of the first kernel stay, for the boards that it knows boot with it. */
async function addSecondKernel(folder: string, second: BackportsKernel): Promise<void> {
  await mkdir(join(folder, "backports"));
  await copyFile(second.kernelPath, join(folder, "backports/vmlinuz"));
  await copyFile(second.initrdPath, join(folder, "backports/initrd.img"));
  await cp(second.deviceTreesFolder, join(folder, "device-trees"), { recursive: true, force: false });
}

async function readKeys(path: string): Promise<readonly string[]> {
  try {
    return checkAuthorizedKeys(await readFile(path, "utf8"), path);
  } catch (cause) {
    if (cause instanceof Failure) throw cause;
    throw new Failure("invalid", `cannot read the ssh keys ${path}: ${(cause as Error).message}`, { cause });
  }
}

async function readVersions(path: string): Promise<Record<string, string>> {
  const lines = (await readFile(path, "utf8")).trim().split("\n");
  return Object.fromEntries(lines.toSorted().map((line) => line.split(" ") as [string, string]));
}

function digestOf(value: unknown): string {
  return createHash("sha256").update(JSON.stringify(value)).digest("hex");
}
