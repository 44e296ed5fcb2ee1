import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { pipeline } from "node:stream/promises";
import { execa } from "../../proto/linux/leashed-execa.ts";

/** A built file. */
export interface BuiltFile {
  readonly sizeBytes: number;
  /** SHA-256, lower-case hexadecimal. */
  readonly digest: string;
}

/** Another kernel for the same root filesystem, in `backports/`. */
export interface SecondKernel {
  readonly kernelRelease: string;
  readonly kernel: BuiltFile;
  readonly initrd: BuiltFile;
}

/** What `manifest.json` says beside every root filesystem that nodes can netboot into, whoever made it. */
export interface NetbootManifest {
  readonly madeBy: "rootfs build" | "rootfs import" | "rootfs bake";
  /** Release of the kernel in vmlinuz. */
  readonly kernelRelease: string;
  /** Releases of the kernels whose modules are in the root filesystem. */
  readonly rootModules: readonly string[];
  /** Release of the kernel whose modules are in initrd.img. */
  readonly initrdModules: string;
  readonly kernel: BuiltFile;
  readonly initrd: BuiltFile;
  /** Absent until one was baked in. */
  readonly agent?: BuiltFile;
  /** Of the root filesystem: files of all kinds, and what they take. */
  readonly root: { readonly files: number; readonly sizeBytes: number };
}

/** Size and digest of a file. */
export async function describeFile(path: string): Promise<BuiltFile> {
  const hash = createHash("sha256");
  await pipeline(createReadStream(path, { highWaterMark: 1 << 20 }), hash);
  return { sizeBytes: (await stat(path)).size, digest: hash.digest("hex") };
}

/** What the files of a root filesystem take, by du(1). */
export async function measureRoot(root: string): Promise<NetbootManifest["root"]> {
  const { stdout } = await execa("du", ["--summarize", "--block-size=1", root]);
  const { stdout: files } = await execa("du", ["--summarize", "--inodes", root]);
  return { files: Number.parseInt(files, 10), sizeBytes: Number.parseInt(stdout, 10) };
}
