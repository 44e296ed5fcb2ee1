import { readFile } from "node:fs/promises";
import path from "node:path";
import { gunzipSync, zstdDecompressSync } from "node:zlib";
import { parseKernelRelease } from "../../proto/system/parse-kernel-release.ts";
import { detectKernelFormat, parseInitrdReleases } from "../artefacts/parse-kernel.ts";
import type { InitrdFact, KernelFact } from "./facts.ts";

/** Files that unpack to more than this are not inspected, in bytes. */
const maxUnpackedBytes = 2 ** 30;

/** Where a file lies that nodes ask for by a path, if not in the boot tree. */
export type FileOf = (relativePath: string) => string | undefined;

/** What the file is that nodes get under that path, and which kernel. */
export async function readKernel(
  bootTree: string,
  relativePath: string,
  fileOf: FileOf = () => undefined,
): Promise<KernelFact> {
  const { place, bytes } = await readServed(bootTree, relativePath, fileOf);
  if (bytes === undefined) return place;
  const plain = unpack(bytes) ?? bytes;
  const format = detectKernelFormat(plain);
  const release = parseKernelRelease(plain);
  return { ...place, format, ...(release !== undefined && { release }) };
}

/** Which kernels the initrd that nodes get under that path has modules for. */
export async function readInitrd(
  bootTree: string,
  relativePath: string,
  fileOf: FileOf = () => undefined,
): Promise<InitrdFact> {
  const { place, bytes } = await readServed(bootTree, relativePath, fileOf);
  if (bytes === undefined) return { ...place, exists: false };
  const releases = parseInitrdReleases(unpack(bytes) ?? bytes);
  return { ...place, exists: true, ...(releases !== undefined && { releases }) };
}

/** Where the file lies that nodes get under that path, and what is in it; undefined if it is not there. */
async function readServed(
  bootTree: string,
  relativePath: string,
  fileOf: FileOf,
): Promise<{ readonly place: Pick<KernelFact, "path" | "file">; readonly bytes: Buffer | undefined }> {
  const file = fileOf(relativePath);
  const bytes = await readIfThere(file ?? path.join(bootTree, relativePath));
  return { place: { path: relativePath, ...(file !== undefined && { file }) }, bytes };
}

/** What gzip or zstd packed; undefined for anything else. */
function unpack(bytes: Buffer): Buffer | undefined {
  const magic = bytes.length < 4 ? 0 : bytes.readUInt32LE(0);
  const limit = { maxOutputLength: maxUnpackedBytes };
  try {
    if ((magic & 0xffff) === 0x8b1f) return gunzipSync(bytes, limit);
    if (magic === 0xfd2fb528) return zstdDecompressSync(bytes, limit);
  } catch {
    // Truncated or damaged: it is reported as not being what it should be.
  }
  return undefined;
}

async function readIfThere(file: string): Promise<Buffer | undefined> {
  try {
    return await readFile(file);
  } catch (error) {
    const { code = "" } = error as NodeJS.ErrnoException;
    if (["ENOENT", "ENOTDIR", "EISDIR"].includes(code)) return undefined;
    throw error;
  }
}
