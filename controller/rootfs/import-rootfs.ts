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
import { changeRoots } from "../roots/change-roots.ts";
import { readRoots } from "../roots/read-roots.ts";
import { versionsFolder } from "../roots/root-paths.ts";
import { makeNetbootFiles } from "./make-netboot-files.ts";
import { planRootfsImport } from "./plan-requirements.ts";
import { provideInitramfsTools } from "./provide-initramfs-tools.ts";
import { measureRoot, type NetbootManifest } from "./rootfs-manifest.ts";
import { withRootOfImage } from "./with-root-of-image.ts";

/** An image to unpack, and where to. */
export interface ImportRequest {
  /** Image file of a whole card: plain, or compressed by gzip, xz, zstd or ZIP; its content decides. */
  readonly imagePath: string;
  /** Must not exist yet, be empty, or hold earlier imports: then this one is added beside them. */
  readonly outDirectory: string;
  /**
   * Where the programs of the initrd come from. Without, the root filesystem alone is unpacked, straight into
   * the folder, even where nodes could not netboot into it; the folder must be new or empty then.
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
 * folder then is a store with a version like one of `rootfs build`, which nodes get once the agent is baked in; it
 * appears complete or not at all.
 *
 * Throws a Failure: `invalid`, `unsupported` (at once, when the image's kernel cannot have its root on the network),
 * `image-damaged`, `in-use` while another process changes the store, `device-error` for a full disk, `tool-failed`,
 * `cancelled`.
 */
export async function importRootfs(request: ImportRequest): Promise<Imported> {
  const out = resolve(request.outDirectory);
  const present = await readdir(out).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return undefined;
    throw new Failure("invalid", `cannot unpack into ${out}: ${error.message}`, { cause: error });
  });
  const isEmpty = present === undefined || present.length === 0;
  if (!isEmpty && (request.netboot === undefined || !(await holdsImports(out, present))))
    throw new Failure("invalid", `cannot unpack into ${out}: it is not empty; name a folder that does not exist yet`);
  await formatOf(resolve(request.imagePath));
  await assertRequirements(await rootfsImportRequirements(request), { canInstall: true });
  return request.netboot === undefined
    ? importRootOnly(request, out, present !== undefined)
    : importVersion(request, request.netboot, out);
}

/** Whether all that is in a folder is versions that were imported, or what an import left that was killed. */
async function holdsImports(out: string, names: readonly string[]): Promise<boolean> {
  if (names.every((name) => name === versionsFolder)) return true;
  const roots = await readRoots(out);
  return roots.length > 0 && roots.every(({ manifest }) => manifest.madeBy === "rootfs import");
}

async function importVersion(request: ImportRequest, archive: ArchiveRequest, out: string): Promise<Imported> {
  const { log = () => {}, signal } = request;
  const imagePath = resolve(request.imagePath);
  return changeRoots(out, async (roots) => {
    let imported: Omit<Imported, "rootFolder"> | undefined;
    const { rootFolder } = await roots.add(async ({ work, version }) => {
      const rawPath = await provideRaw(request, work);
      const bootFolder = join(work, "boot");
      const findings = await examineImage(rawPath, bootFolder, signal);
      const { partition, netboot } = await withRootOfImage(
        { imagePath: rawPath, access: "read-only", signal },
        async (mounted, partition) => {
          const netboot = await makeNetbootFiles({
            rootFolder: mounted,
            kernelPath: join(bootFolder, findings.boot.kernel),
            deviceTrees: findings.boot.deviceTrees.map((name) => join(bootFolder, name)),
            initramfsTools: () => provideInitramfsTools(archive),
            outFolder: version,
          });
          log(`unpacking partition ${partition}`);
          await copyTree(mounted, join(version, "root"), signal);
          return { partition, netboot };
        },
      );
      const root = await measureRoot(join(version, "root"));
      const manifest: ImportManifest = {
        madeBy: "rootfs import",
        image: basename(imagePath),
        operatingSystem: findings.operatingSystem ?? "unknown operating system",
        ...netboot.manifest,
        root,
      };
      await writeFile(join(version, "manifest.json"), `${JSON.stringify(manifest, null, 2)}\n`);
      signal?.throwIfAborted();
      imported = { partition, files: root.files, manifest, notes: netboot.notes };
    });
    if (imported === undefined) throw new Error("a version was added that nobody made");
    return { ...imported, rootFolder };
  });
}

async function importRootOnly(request: ImportRequest, out: string, isThere: boolean): Promise<Imported> {
  const { log = () => {}, signal } = request;
  await mkdir(dirname(out), { recursive: true });
  const temporary = await mkdtemp(join(dirname(out), `.${basename(out)}-`));
  try {
    const rawPath = await provideRaw(request, temporary);
    const rootFolder = join(temporary, "root");
    const partition = await withRootOfImage(
      { imagePath: rawPath, access: "read-only", signal },
      async (mounted, found) => {
        log(`unpacking partition ${found}`);
        await copyTree(mounted, rootFolder, signal);
        return found;
      },
    );
    const { files } = await measureRoot(rootFolder);
    signal?.throwIfAborted();
    if (isThere) await rmdir(out);
    await rename(rootFolder, out);
    return { partition, rootFolder: out, files, notes: [] };
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
}

/** The image as it is on a card: itself, or decompressed into the folder. */
async function provideRaw({ imagePath, log = () => {}, signal }: ImportRequest, folder: string): Promise<string> {
  const path = resolve(imagePath);
  const format = await formatOf(path);
  if (format === "raw") return path;
  log(`decompressing ${basename(path)}`);
  const rawPath = join(folder, "image.raw");
  await decompressTo(rawPath, path, format, signal ?? new AbortController().signal);
  return rawPath;
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
  await peek(decompress(createReadStream(from, { highWaterMark: 1 << 20 }), format, signal), async (raw) => {
    assertUncompressed(raw.firstBytes);
    await writeRawFile(path, raw.all);
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
