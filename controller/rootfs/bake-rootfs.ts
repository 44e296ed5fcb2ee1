import { mkdir, mkdtemp, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { Failure } from "../../proto/failure.ts";
import { agentPrograms } from "../../proto/system/agent-program.ts";
import { chooseInitSystem, describeInit, type InitSystem } from "../../proto/system/choose-init-system.ts";
import { examineRoot, loadersOf } from "../../proto/system/examine-root.ts";
import type { Program } from "../../proto/system/parse-program.ts";
import { planAgentStart } from "../../proto/system/plan-agent-start.ts";
import type { ArchiveRequest } from "../artefacts/debian-archive.ts";
import { assertRequirements } from "../requirements/assert-requirements.ts";
import type { Requirements } from "../requirements/requirements.ts";
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
   * Gets what nodes need besides to netboot into a folder with a root filesystem: vmlinuz, initrd.img, device-trees/
   * and manifest.json. Must not exist yet, or be from an earlier bake.
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
 * already. Doing it again puts in the new agent and changes nothing else.
 *
 * Throws a Failure: `invalid` for a bad target or agent, `unsupported` without an init system that is known or with a
 * kernel that cannot have its root on the network, `image-damaged`, `tool-failed`, `cancelled`.
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
  if (kind === "imported") return bakeIntoImported(target, agentFile, program);
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
    const manifest = await readManifest(target);
    if (manifest === undefined) return "root";
    if (manifest.madeBy === "rootfs import") return "imported";
    throw new Failure(
      "invalid",
      manifest.madeBy === "rootfs bake"
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

async function readManifest(folder: string): Promise<Partial<NetbootManifest> | undefined> {
  const text = await readFile(join(folder, "manifest.json"), "utf8").catch(() => undefined);
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new Failure("invalid", `${join(folder, "manifest.json")} cannot be understood`, { cause });
  }
}

async function bakeIntoImported(folder: string, agentFile: string, program: Program): Promise<Baked> {
  const rootFolder = join(folder, "root");
  const initSystem = await bakeInto(rootFolder, agentFile, program);
  const manifest = {
    ...(await readManifest(folder)),
    agent: await describeFile(agentFile),
    root: await measureRoot(rootFolder),
  };
  const unfinished = join(folder, ".manifest.json");
  await writeFile(unfinished, `${JSON.stringify(manifest, null, 2)}\n`);
  await rename(unfinished, join(folder, "manifest.json"));
  return { initSystem, rootFolder, netbootFolder: folder, notes: [networkNote] };
}

/** Bakes into a root filesystem, and makes what nodes need to netboot into it, which appears complete or not at all. */
async function bakeForNetboot(
  rootFolder: string,
  out: string,
  archive: ArchiveRequest,
  agentFile: string,
  program: Program,
): Promise<Baked> {
  const earlier = await readManifest(out);
  const isThere = (await stat(out).catch(() => undefined)) !== undefined;
  if (isThere && earlier?.madeBy !== "rootfs bake")
    throw new Failure("invalid", `${out} exists and is not from an earlier bake: choose another folder with --out`);
  await mkdir(dirname(out), { recursive: true });
  const temporary = await mkdtemp(join(dirname(out), `.${basename(out)}-`));
  try {
    const made = join(temporary, "made");
    await mkdir(made);
    // First, so that a system which cannot be netbooted is left as it is.
    const { manifest, notes } = await makeNetbootFiles({
      ...(await findOwnKernel(rootFolder)),
      rootFolder,
      initramfsTools: () => provideInitramfsTools(archive),
      outFolder: made,
    });
    const initSystem = await bakeInto(rootFolder, agentFile, program);
    const agent = await describeFile(agentFile);
    const complete: NetbootManifest = {
      madeBy: "rootfs bake",
      ...manifest,
      agent,
      root: await measureRoot(rootFolder),
    };
    await writeFile(join(made, "manifest.json"), `${JSON.stringify({ ...complete, rootFolder }, null, 2)}\n`);
    if (isThere) await rename(out, join(temporary, "earlier"));
    await rename(made, out);
    return { initSystem, rootFolder, netbootFolder: out, notes: [...notes, networkNote] };
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
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
