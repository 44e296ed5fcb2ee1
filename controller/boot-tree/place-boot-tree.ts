import { createHash, randomUUID } from "node:crypto";
import { createReadStream } from "node:fs";
import { chmod, copyFile, mkdir, readdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { pipeline } from "node:stream/promises";
import { Failure } from "../../proto/failure.ts";
import { locateRoots, readCurrentRoot, readRoots } from "../roots/read-roots.ts";
import { type BootTreeManifest, planBootTree, type TreePlan } from "./plan-boot-tree.ts";

/** Where a file of the tree comes from; `sha256` is what it has to be. */
export type Source = { readonly path: string; readonly sha256?: string } | { readonly text: string };

/** A boot tree that was placed. */
export interface BootTree {
  readonly manifest: BootTreeManifest;
  readonly plan: TreePlan;
}

/**
 * Makes a folder the boot tree of these sources; it may be served in the meantime. Each file appears complete or not at
 * all, and the manifest comes last. Files of others stay, unless `overwrite` is set.
 */
export async function placeBootTree(
  outDirectory: string,
  {
    versions,
    targets,
    sources,
  }: Pick<BootTreeManifest, "versions" | "targets"> & { readonly sources: ReadonlyMap<string, Source> },
  { overwrite }: { readonly overwrite: boolean },
): Promise<BootTree> {
  const files: Record<string, { sha256: string; sizeBytes: number }> = {};
  for (const [path, source] of [...sources].toSorted(([one], [other]) => (one < other ? -1 : 1)))
    files[path] = await describe(source);
  const manifest: BootTreeManifest = { versions, targets, files };
  return { manifest, plan: await writeTree(outDirectory, sources, manifest, overwrite) };
}

/** Adds what a built root filesystem has for the boot tree; returns its kernel's release. */
export async function addAgent(sources: Map<string, Source>, given: string): Promise<string> {
  const folder = await finishedRoot(given);
  const manifest = await readFile(join(folder, "manifest.json"), "utf8").catch((cause: unknown) => {
    const remedy = 'make one with "controller rootfs build", choose another with --rootfs, or omit it with --no-rootfs';
    throw new Failure("invalid", `there is no built root filesystem in ${given}; ${remedy}`, { cause });
  });
  const { kernelRelease, madeBy, agent, backports } = JSON.parse(manifest) as {
    kernelRelease?: unknown;
    madeBy?: unknown;
    agent?: unknown;
    backports?: unknown;
  };
  if (madeBy === "rootfs import" && agent === undefined)
    throw new Failure("invalid", `${given} has no agent yet: run "controller rootfs bake ${given}"`);
  for (const name of ["vmlinuz", "initrd.img"]) sources.set(`agent/${name}`, { path: join(folder, name) });
  if (backports !== undefined)
    for (const name of ["vmlinuz", "initrd.img"])
      sources.set(`agent/backports/${name}`, { path: join(folder, "backports", name) });
  for (const name of await readdir(join(folder, "device-trees")))
    if (name.endsWith(".dtb")) sources.set(name, { path: join(folder, "device-trees", name) });
  return typeof kernelRelease === "string" ? kernelRelease : "unknown";
}

/** The folder of the version that new boots get, or, before one has an agent, of the newest; a folder without any itself. */
async function finishedRoot(given: string): Promise<string> {
  const location = await locateRoots(given);
  if (location.kind !== "store") return given;
  const current = (await readCurrentRoot(location.store)) ?? (await readRoots(location.store)).at(-1);
  return current?.folder ?? given;
}

async function writeTree(
  folder: string,
  sources: ReadonlyMap<string, Source>,
  manifest: BootTreeManifest,
  overwrite: boolean,
): Promise<TreePlan> {
  await mkdir(folder, { recursive: true, mode: 0o755 });
  const earlier = await readEarlier(join(folder, "manifest.json"));
  const wanted = new Map(Object.entries(manifest.files).map(([path, { sha256 }]) => [path, sha256]));
  const found = new Map<string, string>();
  for (const path of new Set([...wanted.keys(), ...earlier.keys()])) {
    const digest = await digestOf(join(folder, path));
    if (digest !== undefined) found.set(path, digest);
  }
  const plan = planBootTree(wanted, found, earlier, { overwrite });
  for (const path of plan.write) {
    const source = sources.get(path);
    if (source !== undefined) await place(join(folder, path), source);
  }
  for (const path of plan.remove) await rm(join(folder, path));
  const written = {
    ...manifest,
    files: Object.fromEntries(Object.entries(manifest.files).filter(([path]) => !plan.foreign.includes(path))),
  };
  await place(join(folder, "manifest.json"), { text: `${JSON.stringify(written, null, 2)}\n` });
  return plan;
}

/** Renames the content into place only when it is complete: TFTP may be serving the folder. */
async function place(target: string, source: Source): Promise<void> {
  await mkdir(dirname(target), { recursive: true, mode: 0o755 });
  const temporary = `${target}.${randomUUID()}.new`;
  try {
    if ("text" in source) await writeFile(temporary, source.text);
    else await copyFile(source.path, temporary);
    // Whatever mode the source has.
    await chmod(temporary, 0o644);
    await rename(temporary, target);
  } finally {
    await rm(temporary, { force: true });
  }
}

async function describe(source: Source): Promise<{ sha256: string; sizeBytes: number }> {
  if ("text" in source) {
    const bytes = Buffer.from(source.text);
    return { sha256: createHash("sha256").update(bytes).digest("hex"), sizeBytes: bytes.length };
  }
  const sha256 = await digestOf(source.path);
  if (sha256 === undefined) throw new Failure("invalid", `${source.path} is missing; rebuild what it belongs to`);
  if (source.sha256 !== undefined && source.sha256 !== sha256)
    throw new Failure("invalid", `${source.path} is damaged: it is not what was built; get what it belongs to again`);
  return { sha256, sizeBytes: (await stat(source.path)).size };
}

/** SHA-256 of a file; undefined when there is none. Throws Failure "invalid" when something else has its name. */
async function digestOf(path: string): Promise<string | undefined> {
  const status = await stat(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT" || error.code === "ENOTDIR") return undefined;
    throw error;
  });
  if (status === undefined) return undefined;
  if (!status.isFile()) throw new Failure("invalid", `${path} is not a regular file; move it away`);
  const hash = createHash("sha256");
  await pipeline(createReadStream(path, { highWaterMark: 1 << 20 }), hash);
  return hash.digest("hex");
}

/** Whether a manifest's path stays in its tree. */
export function isInside(path: string): boolean {
  return !path.startsWith("/") && !path.split("/").includes("..");
}

/** What the last build wrote: path and SHA-256. Paths that lead outside are ignored. */
async function readEarlier(path: string): Promise<Map<string, string>> {
  const earlier = new Map<string, string>();
  try {
    const { files } = JSON.parse(await readFile(path, "utf8")) as Partial<BootTreeManifest>;
    for (const [name, { sha256 }] of Object.entries(files ?? {})) if (isInside(name)) earlier.set(name, sha256);
  } catch {
    // None yet, or broken: then nothing in the tree counts as ours, and nothing is replaced.
  }
  return earlier;
}
