import { createReadStream } from "node:fs";
import { open, readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { createGunzip } from "node:zlib";
import type { InstalledKernels } from "../../proto/system/judge-kernels.ts";
import { bannerBytes, parseKernelRelease } from "../../proto/system/parse-kernel-release.ts";

/** Debian's and Fedora's names say which kernel it is. */
const namedKernel = /^(?:vmlinuz|vmlinux|Image|kernel)-(\d[\w.+~-]*)$/;
/** These do not: Raspberry Pi OS's 64-bit kernels, buildroot's and Alpine's. */
const unnamedKernel = /^(?:kernel8|kernel_2712)\.img$|^(?:Image|vmlinuz|vmlinuz-rpi)$/;
/** No kernel unpacks to more than this. */
const maxBytes = 256 * 1024 * 1024;
/** A system has a few; more are not reported. */
const maxEntries = 32;

/** Where to look; the running system's own folders unless a test says otherwise. */
export interface KernelPlaces {
  readonly modules: string;
  readonly boot: readonly string[];
}

const places: KernelPlaces = { modules: "/lib/modules", boot: ["/boot", "/boot/firmware"] };

/**
 * A function that reads the kernels and modules of the running system. A kernel whose name does not say its release is
 * unpacked once, and again only when the file has changed. Rejects with the error of a folder or file that cannot be
 * read; what does not exist is not there.
 */
export function createKernelReader(at = places): () => Promise<InstalledKernels> {
  const known = new Map<string, { readonly state: string; readonly release: string | undefined }>();

  const releaseOf = async (path: string): Promise<string | undefined> => {
    const { size, mtimeMs } = await stat(path);
    const state = `${size} ${mtimeMs}`;
    const before = known.get(path);
    if (before?.state === state) return before.release;
    const release = await readRelease(path);
    known.set(path, { state, release });
    return release;
  };

  return async () => {
    const modules: InstalledKernels["modules"][number][] = [];
    for (const release of (await names(at.modules)).slice(0, maxEntries)) {
      const index = await stat(join(at.modules, release, "modules.dep")).catch(ifThere);
      modules.push({ release, usable: index !== undefined && index.size > 0 });
    }
    const kernels = new Set<string>();
    for (const folder of at.boot) {
      for (const name of await names(folder)) {
        const release =
          namedKernel.exec(name)?.[1] ?? (unnamedKernel.test(name) ? await releaseOf(join(folder, name)) : undefined);
        if (release !== undefined && kernels.size < maxEntries) kernels.add(release);
      }
    }
    return { modules, kernels: [...kernels].sort() };
  };
}

async function names(folder: string): Promise<readonly string[]> {
  return ((await readdir(folder).catch(ifThere)) ?? []).sort();
}

/** The release of a plain or gzipped kernel; undefined where none is found: others unpack themselves. */
async function readRelease(path: string): Promise<string | undefined> {
  const file = createReadStream(path, { highWaterMark: 1024 * 1024 });
  const unpacked = (await isGzip(path)) ? file.pipe(createGunzip()) : file;
  // A broken file ends the unpacked stream, which is the one that is read.
  if (unpacked !== file) file.on("error", (error) => unpacked.destroy(error));
  let rest = Buffer.alloc(0);
  let bytes = 0;
  try {
    for await (const chunk of unpacked as AsyncIterable<Buffer>) {
      const text = Buffer.concat([rest, chunk]);
      const release = parseKernelRelease(text);
      bytes += chunk.length;
      if (release !== undefined || bytes > maxBytes) return release;
      rest = text.subarray(-bannerBytes);
    }
    return undefined;
  } catch (error) {
    // A kernel that cannot be unpacked never starts.
    if (/^Z_/.test(String((error as NodeJS.ErrnoException).code))) return undefined;
    throw error;
  } finally {
    file.destroy();
    unpacked.destroy();
  }
}

async function isGzip(path: string): Promise<boolean> {
  const file = await open(path);
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(2), 0, 2, 0);
    return bytesRead === 2 && buffer.readUInt16LE(0) === 0x8b1f;
  } finally {
    await file.close();
  }
}

function ifThere(error: NodeJS.ErrnoException): undefined {
  if (error.code !== "ENOENT" && error.code !== "ENOTDIR") throw error;
}
