import { mkdir, mkdtemp, readdir, rename, rm, rmdir } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { Failure } from "../../proto/failure.ts";
import { execa } from "../../proto/linux/leashed-execa.ts";
import { assertRequirements } from "../requirements/assert-requirements.ts";
import { planRootfsImport } from "../requirements/plan-requirements.ts";
import { withRootOfImage } from "./with-root-of-image.ts";

/** An image to unpack, and where to. */
export interface ImportRequest {
  /** Image file of a whole card (.img, not compressed). */
  readonly imagePath: string;
  /** Gets the root filesystem; must not exist yet, or be empty. */
  readonly outDirectory: string;
  readonly signal?: AbortSignal | undefined;
}

/** What was unpacked. */
export interface Imported {
  /** Number of the image's partition that holds the root filesystem. */
  readonly partition: number;
  /** Files of all kinds. */
  readonly files: number;
}

/**
 * Unpacks the root filesystem of an image into a folder, with owners, modes, times, links, devices and extended
 * attributes. The folder appears complete or not at all.
 *
 * Throws a Failure: `invalid`, `unsupported`, `image-damaged`, `tool-failed`, `cancelled`.
 */
export async function importRootfs({ imagePath, outDirectory, signal }: ImportRequest): Promise<Imported> {
  const out = resolve(outDirectory);
  await assertRequirements({ ...planRootfsImport({ format: "raw" }), writes: [out] }, { canInstall: true });
  const present = await readdir(out).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return undefined;
    throw new Failure("invalid", `cannot unpack into ${out}: ${error.message}`, { cause: error });
  });
  if (present !== undefined && present.length > 0)
    throw new Failure("invalid", `cannot unpack into ${out}: it is not empty; name a folder that does not exist yet`);
  return withRootOfImage({ imagePath: resolve(imagePath), access: "read-only", signal }, async (folder, partition) => {
    await mkdir(dirname(out), { recursive: true });
    const temporary = await mkdtemp(join(dirname(out), `.${basename(out)}-`));
    try {
      const root = join(temporary, "root");
      await copyTree(folder, root, signal);
      if (present !== undefined) await rmdir(out);
      await rename(root, out);
    } finally {
      await rm(temporary, { recursive: true, force: true });
    }
    const { stdout } = await execa("du", ["--summarize", "--inodes", out]);
    return { partition, files: Number.parseInt(stdout, 10) };
  });
}

async function copyTree(from: string, to: string, signal?: AbortSignal): Promise<void> {
  try {
    const args = ["--archive", "--one-file-system", "--sparse=auto", from, to];
    await execa("cp", args, { env: { LC_ALL: "C.UTF-8" }, ...(signal && { cancelSignal: signal }) });
  } catch (cause) {
    if (signal?.aborted) throw new Failure("cancelled", "the import of the root filesystem was cancelled", { cause });
    const said = (cause as { stderr?: string }).stderr?.trim().split("\n").at(0);
    throw new Failure("tool-failed", `the root filesystem cannot be copied to ${to}: ${said ?? cause}`, { cause });
  }
}
