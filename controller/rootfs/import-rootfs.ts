import { createReadStream } from "node:fs";
import { mkdir, mkdtemp, open, readdir, rename, rm, rmdir, writeFile } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { Failure } from "../../proto/failure.ts";
import { execa } from "../../proto/linux/leashed-execa.ts";
import type { ArchiveRequest } from "../artefacts/debian-archive.ts";
import { decompress } from "../images/formats/decompress.ts";
import { assertUncompressed, detectFormat, detectionBytes, type ImageFormat } from "../images/formats/detect-format.ts";
import { peek } from "../images/formats/peek.ts";
import { examineImage } from "../images/import/examine-image.ts";
import { writeRawFile } from "../images/import/write-raw-file.ts";
import { assertRequirements } from "../requirements/assert-requirements.ts";
import type { Requirements } from "../requirements/requirements.ts";
import { makeNetbootFiles } from "./make-netboot-files.ts";
import { planRootfsImport } from "./plan-requirements.ts";
import { provideInitramfsTools } from "./provide-initramfs-tools.ts";
import { measureRoot, type NetbootManifest } from "./rootfs-manifest.ts";
import { withRootOfImage } from "./with-root-of-image.ts";

/** An image to unpack, and where to. */
export interface ImportRequest {
  /** Image file of a whole card: plain, or compressed by gzip, xz, zstd or ZIP; its content decides. */
  readonly imagePath: string;
  /** Must not exist yet, or be empty. */
  readonly outDirectory: string;
  /**
   * Where the programs of the initrd come from. Without, the root filesystem alone is unpacked, straight into
   * the folder, even where nodes could not netboot into it.
   */
  readonly netboot?: ArchiveRequest;
  readonly log?: (line: string) => void;
  readonly signal?: AbortSignal | undefined;
}

/** What `manifest.json` of an import says. */
export interface ImportManifest extends NetbootManifest {
  readonly madeBy: "rootfs import";
  /** Name of the image file. */
  readonly image: string;
  readonly operatingSystem: string;
}

/** What was unpacked. */
export interface Imported {
  /** Number of the image's partition that holds the root filesystem. */
  readonly partition: number;
  readonly rootFolder: string;
  /** Files of all kinds. */
  readonly files: number;
  /** Absent where the root filesystem was unpacked alone. */
  readonly manifest?: ImportManifest;
  /** What a person should know, a sentence each. */
  readonly notes: readonly string[];
}

/**
 * Unpacks the root filesystem of an image, with owners, modes, times, links, devices and extended attributes, and makes
 * what nodes need to netboot into it: its own kernel, our initrd with that kernel's modules, device trees. The
 * folder then looks like what `rootfs build` makes; it appears complete or not at all.
 *
 * Throws a Failure: `invalid`, `unsupported` (at once, when the image's kernel cannot have its root on the network),
 * `image-damaged`, `tool-failed`, `cancelled`.
 */
export async function importRootfs(request: ImportRequest): Promise<Imported> {
  const { netboot: archive, log = () => {}, signal } = request;
  const rootOnly = archive === undefined;
  const imagePath = resolve(request.imagePath);
  const out = resolve(request.outDirectory);
  const present = await readdir(out).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return undefined;
    throw new Failure("invalid", `cannot unpack into ${out}: ${error.message}`, { cause: error });
  });
  if (present !== undefined && present.length > 0)
    throw new Failure("invalid", `cannot unpack into ${out}: it is not empty; name a folder that does not exist yet`);
  const format = await formatOf(imagePath);
  await assertRequirements(await rootfsImportRequirements(request), { canInstall: true });

  await mkdir(dirname(out), { recursive: true });
  const temporary = await mkdtemp(join(dirname(out), `.${basename(out)}-`));
  try {
    const rawPath = format === "raw" ? imagePath : join(temporary, "image.raw");
    if (format !== "raw") {
      log(`decompressing ${basename(imagePath)}`);
      await decompressTo(rawPath, imagePath, format, signal ?? new AbortController().signal);
    }
    const made = join(temporary, "made");
    await mkdir(made);
    const rootFolder = rootOnly ? join(temporary, "root") : join(made, "root");
    const bootFolder = join(temporary, "boot");
    const findings = archive && (await examineImage(rawPath, bootFolder, signal));
    const imported = await withRootOfImage(
      { imagePath: rawPath, access: "read-only", signal },
      async (mounted, partition) => {
        const netboot =
          archive &&
          findings &&
          (await makeNetbootFiles({
            rootFolder: mounted,
            kernelPath: join(bootFolder, findings.boot.kernel),
            deviceTrees: findings.boot.deviceTrees.map((name) => join(bootFolder, name)),
            initramfsTools: () => provideInitramfsTools(archive),
            outFolder: made,
          }));
        log(`unpacking partition ${partition}`);
        await copyTree(mounted, rootFolder, signal);
        return { partition, netboot };
      },
    );
    const root = await measureRoot(rootFolder);
    const { partition, netboot } = imported;
    const manifest: ImportManifest | undefined = netboot && {
      madeBy: "rootfs import",
      image: basename(imagePath),
      operatingSystem: findings?.operatingSystem ?? "unknown operating system",
      ...netboot.manifest,
      root,
    };
    if (manifest) await writeFile(join(made, "manifest.json"), `${JSON.stringify(manifest, null, 2)}\n`);
    signal?.throwIfAborted();
    if (present !== undefined) await rmdir(out);
    await rename(rootOnly ? rootFolder : made, out);
    return {
      partition,
      rootFolder: rootOnly ? out : join(out, "root"),
      files: root.files,
      ...(manifest && { manifest }),
      notes: netboot?.notes ?? [],
    };
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
}

/** What the import needs of this machine. Throws Failure for a file that is not an image. */
export async function rootfsImportRequirements(request: ImportRequest): Promise<Requirements> {
  const format = await formatOf(resolve(request.imagePath));
  const plan = planRootfsImport({ format, netbootMirror: request.netboot?.mirror });
  const cache = request.netboot === undefined ? [] : [resolve(request.netboot.cacheDirectory)];
  return { ...plan, writes: [resolve(request.outDirectory), ...cache] };
}

/** The format of an image file by its content. Throws Failure `invalid` or `unsupported` for what is none. */
export async function formatOf(path: string): Promise<ImageFormat> {
  try {
    const file = await open(path, "r");
    try {
      const { buffer, bytesRead } = await file.read(Buffer.alloc(detectionBytes), 0, detectionBytes, 0);
      return detectFormat(buffer.subarray(0, bytesRead));
    } finally {
      await file.close();
    }
  } catch (cause) {
    if (cause instanceof Failure) throw cause;
    throw new Failure("invalid", `cannot read ${path}: ${(cause as Error).message}`, { cause });
  }
}

async function decompressTo(path: string, from: string, format: ImageFormat, signal: AbortSignal): Promise<void> {
  const raw = await peek(decompress(createReadStream(from, { highWaterMark: 1 << 20 }), format, signal));
  assertUncompressed(raw.firstBytes);
  await writeRawFile(path, raw.all);
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
