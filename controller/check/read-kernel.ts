import { readFile } from "node:fs/promises";
import path from "node:path";
import { gunzipSync, zstdDecompressSync } from "node:zlib";
import { parseKernelRelease } from "../../proto/system/parse-kernel-release.ts";
import { detectKernelFormat, parseInitrdReleases } from "../artefacts/parse-kernel.ts";
import type { InitrdFact, KernelFact } from "./facts.ts";

/** Files that unpack to more than this are not inspected, in bytes. */
const maxUnpackedBytes = 2 ** 30;

/** What the file in the boot tree is, and which kernel. */
export async function readKernel(bootTree: string, relativePath: string): Promise<KernelFact> {
  const bytes = await readIfThere(path.join(bootTree, relativePath));
  if (bytes === undefined) return { path: relativePath };
  const plain = unpack(bytes) ?? bytes;
  const format = detectKernelFormat(plain);
  const release = parseKernelRelease(plain);
  return { path: relativePath, format, ...(release !== undefined && { release }) };
}

/** Which kernels the initrd in the boot tree has modules for. */
export async function readInitrd(bootTree: string, relativePath: string): Promise<InitrdFact> {
  const bytes = await readIfThere(path.join(bootTree, relativePath));
  if (bytes === undefined) return { path: relativePath, exists: false };
  const releases = parseInitrdReleases(unpack(bytes) ?? bytes);
  return { path: relativePath, exists: true, ...(releases !== undefined && { releases }) };
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
