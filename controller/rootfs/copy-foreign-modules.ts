import { lstat, mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { gunzip, zstdDecompress } from "node:zlib";
import { Failure } from "../../proto/failure.ts";
import { execa } from "../../proto/linux/leashed-execa.ts";
import { type ModuleIndex, orderModules, parseModuleIndex } from "../artefacts/kernel-modules.ts";
import type { RootTree } from "./root-tree.ts";

/** The modules of one kernel in a root filesystem that someone else built. */
export interface ForeignModules {
  readonly index: ModuleIndex;
  /**
   * Copies the named ones and all that they need to `toBase`/lib/modules/<release>, uncompressed, and has depmod(8)
   * list them.
   */
  copy(names: readonly string[], toBase: string): Promise<void>;
}

/** Larger files are not kernel modules. */
const maximumModuleBytes = 128 * 1024 * 1024;
const listsOfDepmod = ["modules.builtin", "modules.builtin.modinfo", "modules.order"];

/** The releases of the kernels whose modules a root filesystem holds. */
export async function moduleReleases(tree: RootTree): Promise<readonly string[]> {
  const releases: string[] = [];
  for (const name of await tree.list("/lib/modules"))
    if ((await tree.resolve(`/lib/modules/${name}/modules.dep`)) !== undefined) releases.push(name);
  return releases.toSorted();
}

/**
 * Opens the modules of a kernel. Nothing is believed of what lists them: a path that leads out of their folder, or to
 * something that is not a file, is refused with Failure "image-damaged", for what goes into an initrd everyone may
 * read.
 */
export async function openForeignModules(tree: RootTree, folder: string, release: string): Promise<ForeignModules> {
  const base = `/lib/modules/${release}`;
  const read = async (path: string): Promise<Buffer | undefined> => {
    const end = await tree.resolve(`${base}/${path}`);
    if (end === undefined) return undefined;
    const status = await lstat(join(folder, end));
    const isInside = !path.startsWith("/") && !path.split("/").includes("..") && end.endsWith(`/${release}/${path}`);
    if (!isInside || !status.isFile() || status.size > maximumModuleBytes)
      throw new Failure("image-damaged", `${base}/${path} is not a kernel module file`);
    return readFile(join(folder, end));
  };
  const [dep, builtin] = [await read("modules.dep"), await read("modules.builtin")];
  const index = parseModuleIndex(dep?.toString("utf8") ?? "", builtin?.toString("utf8") ?? "");
  return {
    index,
    async copy(names, toBase) {
      const to = join(toBase, "lib/modules", release);
      const compressedByXz: string[] = [];
      await mkdir(to, { recursive: true });
      for (const path of orderModules(index, names)) {
        const content = await read(path);
        if (content === undefined)
          throw new Failure("image-damaged", `modules.dep of ${release} lists ${path}, which is not there`);
        const { bytes, name } = await unpack(content, path);
        await mkdir(dirname(join(to, name)), { recursive: true });
        await writeFile(join(to, name), bytes);
        if (name.endsWith(".xz")) compressedByXz.push(join(to, name));
      }
      if (compressedByXz.length > 0) await execa("xz", ["--decompress", ...compressedByXz]);
      for (const list of listsOfDepmod) {
        const content = await read(list);
        if (content !== undefined) await writeFile(join(to, list), content);
      }
      await execa("depmod", ["--basedir", toBase, release]);
    },
  };
}

/** Not every insmod can unpack a module. What xz made, the program xz unpacks later. */
async function unpack(content: Buffer, path: string): Promise<{ readonly bytes: Buffer; readonly name: string }> {
  const limit = { maxOutputLength: maximumModuleBytes };
  if (path.endsWith(".gz")) return { bytes: await promisify(gunzip)(content, limit), name: path.replace(/\.gz$/, "") };
  if (path.endsWith(".zst"))
    return { bytes: await promisify(zstdDecompress)(content, limit), name: path.replace(/\.zst$/, "") };
  return { bytes: content, name: path };
}
