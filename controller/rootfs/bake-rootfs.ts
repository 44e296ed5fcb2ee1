import { readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { Failure } from "../../proto/failure.ts";
import { execa } from "../../proto/linux/leashed-execa.ts";
import { agentPrograms } from "../../proto/system/agent-program.ts";
import { chooseInitSystem, describeInit, type InitSystem } from "../../proto/system/choose-init-system.ts";
import { examineRoot, loadersOf } from "../../proto/system/examine-root.ts";
import type { Program } from "../../proto/system/parse-program.ts";
import { planAgentStart } from "../../proto/system/plan-agent-start.ts";
import type { ArchiveRequest } from "../artefacts/debian-archive.ts";
import { assertRequirements } from "../requirements/assert-requirements.ts";
import type { Requirements } from "../requirements/requirements.ts";
import { changeRoots } from "../roots/change-roots.ts";
import { locateRoots, type Root, readCurrentRoot, readRoots } from "../roots/read-roots.ts";
import { flatRoot } from "../roots/root-id.ts";
import { versionsFolder } from "../roots/root-paths.ts";
import { checkAgent, checkAgentFits } from "./check-agent.ts";
import { findOwnKernel } from "./find-own-kernel.ts";
import { formatOf } from "./import-rootfs.ts";
import { makeNetbootFiles } from "./make-netboot-files.ts";
import { planRootfsBake } from "./plan-requirements.ts";
import { provideInitramfsTools } from "./provide-initramfs-tools.ts";
import { renderCleanFstab } from "./render-fstab.ts";
import { rootTree } from "./root-tree.ts";
import { describeFile, measureRoot, type NetbootManifest } from "./rootfs-manifest.ts";
import { withRootOfImage } from "./with-root-of-image.ts";

/** An existing root filesystem, and the agent that goes into it. */
export interface BakeRequest {
  /**
   * What `rootfs import` made, a folder with a root filesystem, or the image file (.img, not compressed) of a whole
   * card.
   */
  readonly target: string;
  /** A program for arm64 Linux. */
  readonly agentFile: string;
  /**
   * The store that gets a copy of a folder with a root filesystem as a new version, with the agent in it, and with what
   * nodes need besides to netboot into it: vmlinuz, initrd.img, device-trees/ and manifest.json. Must not exist yet, or
   * be from an earlier bake. The folder stays as it is.
   */
  readonly outDirectory?: string | undefined;
  /** Where the programs of its initrd come from; only read with `outDirectory`. */
  readonly archive?: ArchiveRequest;
  readonly signal?: AbortSignal | undefined;
}

/** What was baked into what. */
export interface Baked {
  readonly initSystem: InitSystem;
  /** Number of the image's partition that holds the root filesystem; undefined for a folder. */
  readonly partition?: number;
  /** To be exported by NFS; absent for an image. */
  readonly rootFolder?: string;
  /** What "boot-tree build --rootfs" takes; absent where there is none. */
  readonly netbootFolder?: string;
  /** What a person should know, a sentence each. */
  readonly notes: readonly string[];
}

/**
 * Puts the agent, what starts it, and an fstab that mounts nothing of a card into a root filesystem that exists
 * already. Doing it again puts in the new agent and changes nothing else. In a store this makes a new version, which new
 * boots get; the ones before it stay as they are, for the nodes that run from them.
 *
 * Throws a Failure: `invalid` for a bad target or agent, `unsupported` without an init system that is known or with a
 * kernel that cannot have its root on the network, `image-damaged`, `in-use` while another process changes the store,
 * `device-error` for a full disk, `tool-failed`, `cancelled`.
 */
export async function bakeRootfs(request: BakeRequest): Promise<Baked> {
  const { agentFile, outDirectory, signal } = request;
  const target = resolve(request.target);
  const kind = await kindOf(request.target);
  if (kind !== "root" && outDirectory !== undefined)
    throw new Failure(
      "invalid",
      `--out is for a folder with a root filesystem, which ${request.target} is not; omit it`,
    );
  await assertRequirements(await rootfsBakeRequirements(request), { canInstall: true });
  const program = await checkAgent(agentFile);
  if (kind === "image")
    return withRootOfImage({ imagePath: target, access: "read-write", signal }, async (folder, partition) => ({
      initSystem: await bakeInto(folder, agentFile, program),
      partition,
      notes: [],
    }));
  if (kind === "imported") return bakeIntoImported(await storeOf(target), agentFile, program);
  const { archive } = request;
  if (outDirectory === undefined || archive === undefined)
    return { initSystem: await bakeInto(target, agentFile, program), rootFolder: target, notes: [] };
  return bakeForNetboot(target, resolve(outDirectory), archive, agentFile, program);
}

/** What baking needs of this machine. Throws Failure for a target that is neither a folder nor an image file. */
export async function rootfsBakeRequirements(request: Omit<BakeRequest, "agentFile">): Promise<Requirements> {
  const { outDirectory, archive } = request;
  const kind = await kindOf(request.target);
  const netbootMirror = outDirectory === undefined ? undefined : archive?.mirror;
  const plan = planRootfsBake({ target: kind === "image" ? "image" : "folder", netbootMirror });
  const out =
    outDirectory === undefined ? [] : [resolve(outDirectory), resolve(archive?.cacheDirectory ?? outDirectory)];
  return { ...plan, writes: [resolve(request.target), ...out] };
}

/** Of every system that is not ours, and that nobody can see in its files. */
const networkNote =
  "the system's own network setup must not touch the address that the node booted with, or the node loses its root; " +
  "/run/pallet/interface names the interface that has it";

/** Determines what to bake the agent into: a root filesystem, the output of `rootfs import`, or an image. */
async function kindOf(target: string): Promise<"root" | "imported" | "image"> {
  const found = await stat(target).catch((cause: NodeJS.ErrnoException) => {
    throw new Failure(
      "invalid",
      `cannot bake into ${target}: ${cause.code === "ENOENT" ? "it does not exist" : cause.message}`,
      { cause },
    );
  });
  if (found.isDirectory()) {
    const madeBy = await makerOf(await storeOf(target));
    if (madeBy === undefined) return "root";
    if (madeBy === "rootfs import") return "imported";
    throw new Failure(
      "invalid",
      madeBy === "rootfs bake"
        ? `${target} is not a root filesystem but the output of an earlier bake: bake into the root filesystem again, with --out ${target}`
        : `${target} was made by "rootfs build", which includes the agent: run that again`,
    );
  }
  if (!found.isFile())
    throw new Failure("invalid", `cannot bake into ${target}: it is neither a folder nor an image file`);
  const format = await formatOf(target);
  if (format === "raw") return "image";
  throw new Failure(
    "unsupported",
    `${target} is compressed (${format}), and baking changes the image itself: decompress it first, or import it with ` +
      '"controller rootfs import" and bake into the result',
  );
}

/** The store that a target is, or lies in as the root/ that an older Pallet unpacked; the target itself for none. */
async function storeOf(target: string): Promise<string> {
  const location = await locateRoots(resolve(target));
  return location.kind === "store" ? location.store : resolve(target);
}

/** Which command made what a store holds; undefined for a folder that is none. */
async function makerOf(folder: string): Promise<string | undefined> {
  const newest = (await readRoots(folder)).at(-1);
  if (newest !== undefined) return newest.manifest.madeBy ?? "rootfs build";
  const text = await readFile(join(folder, "manifest.json"), "utf8").catch(() => undefined);
  if (text === undefined) return undefined;
  try {
    const { madeBy = "rootfs build" } = JSON.parse(text) as Partial<NetbootManifest>;
    return madeBy;
  } catch (cause) {
    throw new Failure("invalid", `${join(folder, "manifest.json")} cannot be understood`, { cause });
  }
}

async function bakeIntoImported(store: string, agentFile: string, program: Program): Promise<Baked> {
  return changeRoots(store, async (roots) => {
    const from = await sourceOf(store);
    let initSystem: InitSystem | undefined;
    const made = await roots.add(async ({ version }) => {
      await linkVersion(from, version);
      const rootFolder = join(version, "root");
      initSystem = await bakeInto(rootFolder, agentFile, program);
      const manifest = {
        ...JSON.parse(await readFile(join(from.folder, "manifest.json"), "utf8")),
        agent: await describeFile(agentFile),
        root: await measureRoot(rootFolder),
      };
      await writeFile(join(version, "manifest.json"), `${JSON.stringify(manifest, null, 2)}\n`);
    });
    if (initSystem === undefined) throw new Error("a version was added that nobody made");
    await roots.use(made.id);
    // Without an agent no node has ever booted it.
    if (from.manifest.agent === undefined && from.id !== flatRoot) await roots.remove(from.id);
    return { initSystem, rootFolder: made.rootFolder, netbootFolder: store, notes: [networkNote] };
  });
}

/** What was imported last and has no agent yet; else what new boots get. */
async function sourceOf(store: string): Promise<Root> {
  const waiting = (await readRoots(store)).findLast(
    ({ id, manifest }) => id !== flatRoot && manifest.agent === undefined,
  );
  const source = waiting ?? (await readCurrentRoot(store));
  if (source === undefined)
    throw new Failure("invalid", `there is no finished root filesystem in ${store}: import the image again`);
  return source;
}

/**
 * A version with the same files as another. They are the same files on the disk too, which costs next to nothing; the
 * agent and all else that baking puts there takes the place of a name, so the other version keeps what it has.
 */
async function linkVersion(from: Root, version: string): Promise<void> {
  const names = (await readdir(from.folder)).filter((name) => sharedNames.includes(name));
  const paths = names.map((name) => join(from.folder, name));
  await execa("cp", ["--archive", "--link", ...paths, version]);
}

const sharedNames = ["root", "vmlinuz", "initrd.img", "device-trees", "backports"];

/** Makes a version of a copy of a root filesystem, which people go on changing. */
async function bakeForNetboot(
  source: string,
  out: string,
  archive: ArchiveRequest,
  agentFile: string,
  program: Program,
): Promise<Baked> {
  const madeBy = await makerOf(out);
  const present = await readdir(out).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return [];
    throw new Failure("invalid", `cannot bake into ${out}: ${error.message}`, { cause: error });
  });
  if (madeBy === undefined ? present.some((name) => name !== versionsFolder) : madeBy !== "rootfs bake")
    throw new Failure("invalid", `${out} exists and is not from an earlier bake: choose another folder with --out`);
  return changeRoots(out, async (roots) => {
    let baked: Pick<Baked, "initSystem" | "notes"> | undefined;
    const made = await roots.add(async ({ version }) => {
      // First, so that what cannot be netbooted is not copied.
      const { manifest, notes } = await makeNetbootFiles({
        ...(await findOwnKernel(source)),
        rootFolder: source,
        initramfsTools: () => provideInitramfsTools(archive),
        outFolder: version,
      });
      const rootFolder = join(version, "root");
      await execa("cp", ["--archive", "--one-file-system", "--reflink=auto", source, rootFolder]);
      baked = { initSystem: await bakeInto(rootFolder, agentFile, program), notes: [...notes, networkNote] };
      const complete: NetbootManifest = {
        madeBy: "rootfs bake",
        ...manifest,
        agent: await describeFile(agentFile),
        root: await measureRoot(rootFolder),
      };
      await writeFile(join(version, "manifest.json"), `${JSON.stringify(complete, null, 2)}\n`);
    });
    if (baked === undefined) throw new Error("a version was added that nobody made");
    await roots.use(made.id);
    // What an older Pallet baked there has no root of its own, and is served no more.
    await rm(join(out, "manifest.json"), { force: true });
    return { ...baked, rootFolder: made.rootFolder, netbootFolder: out };
  });
}

async function bakeInto(folder: string, agentFile: string, program: Program): Promise<InitSystem> {
  const tree = rootTree(folder);
  if ((await tree.resolve("/etc")) === undefined)
    throw new Failure("invalid", `${folder} is not a root filesystem: it has no /etc`);
  const { traces, ...system } = await examineRoot(tree, loadersOf(program));
  const initSystem = chooseInitSystem(traces);
  if (initSystem === undefined)
    throw new Failure(
      "unsupported",
      "the root filesystem has no init system that could start the agent",
      describeInit(traces),
    );
  checkAgentFits(program, system);
  await tree.placeFile(agentPrograms.netboot, agentFile, 0o755);
  for (const { path, content } of planAgentStart(initSystem, "netboot", traces)) {
    if ("linkTo" in content) await tree.placeLink(path, content.linkTo);
    else await tree.placeText(path, content.text, 0o644);
  }
  const fstab = (await tree.readText("/etc/fstab")) ?? "";
  const clean = renderCleanFstab(fstab);
  if (clean !== fstab) await tree.placeText("/etc/fstab", clean, 0o644);
  return initSystem;
}
